/**
 * @file A worker that makes one call after the other, two at a time, until it is terminated. It adds
 * one to `begun` right after each is begun.
 */

import { workerData } from "node:worker_threads";
import { CALLS, loadModule, loadModuleAgain } from "./addon-calls.mjs";

const { name, files, begun, again } = workerData;
const signal = () => {
  Atomics.add(begun, 0, 1);
  Atomics.notify(begun, 0);
};
signal();
let addon = loadModule();
if (again) addon = loadModuleAgain();
const call = CALLS[name](addon, files);
for (;;) {
  const calls = [call(), call()];
  signal();
  await Promise.all(calls);
}
