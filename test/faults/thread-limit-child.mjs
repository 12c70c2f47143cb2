/**
 * @file A process that may start no thread any more, on the module itself: what needs one fails with a
 * message, what can do with fewer does, and once threads are to be had again everything works. The
 * parent lowers and raises the limit, and says so over IPC.
 */

import { once } from "node:events";
import { stat } from "node:fs/promises";
import { CALLS, loadModule, runOn } from "./addon-calls.mjs";

const files = JSON.parse(process.argv[2]);
const addon = loadModule();
await stat("/"); // libuv's own threads, which it ends the process without, are there from now on
// The superuser has no limit.
if (process.getuid() === 0) process.setuid(65534);

// Loaded while threads are to be had: what a team needs is first started when it runs.
const runOnFour = runOn(addon, 4);
const outcome = async (name) => {
  try {
    await (name === "runOnFour" ? runOnFour : CALLS[name](addon, files))();
    return "done";
  } catch (error) {
    return error.message;
  }
};
const names = ["run", "measureTriad", "fillOwn", "pixelStatistics", "packImages", "run"];
const all = async (round) => {
  const outcomes = [];
  for (const name of names) outcomes.push(await outcome(name));
  if (round >= 2) outcomes.push(await outcome("runOnFour"));
  return outcomes;
};
for (let round = 0; round < 4; round++) {
  process.send("ready");
  await once(process, "message");
  process.send(await all(round));
}
process.disconnect();
