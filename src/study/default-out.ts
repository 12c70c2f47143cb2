/** @file Where a run goes that was not told where. */

import { basename, resolve } from "node:path";
import { isSourceName } from "../datasets/sources/source-names.ts";

/** "20260131-101500", of local time. */
export function timeStamp(now = new Date()): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

/** "lrscope-runs/compare-flowers-20260131-101500" */
export function defaultOut(kind: string, source: string): string {
  const name = isSourceName(source) ? source : basename(resolve(source)) || "source";
  return `lrscope-runs/${kind}-${name}-${timeStamp()}`;
}
