/**
 * @file steering.jsonl: what was asked of a study from outside, a line each. The study reads it while it runs; its
 * folder's lease is not needed to ask.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { StoreError } from "../core/errors.ts";
import { readRegularFile } from "../files/regular-file.ts";
import { type EventBody, type SteeredEvent, steeredEvent, versioned } from "../record/index.ts";
import { appendLine, dropTornLine } from "./durable-write.ts";

const FILE = "steering.jsonl";

/** Asks something of the study in a run directory, and leaves it on the record. @throws StoreError, exit code 1 */
export function steer(path: string, asked: Omit<EventBody<SteeredEvent>, "type" | "at">): void {
  const event = versioned({ type: "steered", at: new Date().toISOString(), ...asked });
  const file = join(path, FILE);
  dropTornLine(file);
  appendLine(file, JSON.stringify(event), { durable: true });
}

/** All that was asked, oldest first; a last line that is torn is none. @throws StoreError, exit code 2, naming the line */
export function readSteering(path: string): SteeredEvent[] {
  const file = join(path, FILE);
  const text = existsSync(file) ? (readRegularFile(file)?.toString("utf8") ?? "") : "";
  const lines = text.split("\n");
  lines.pop();
  return lines.map((line, index) => {
    try {
      return steeredEvent.parse(JSON.parse(line));
    } catch (cause) {
      throw new StoreError(
        `${file}, line ${index + 1}: is nothing that is asked of a study; take the line out`,
        { exitCode: 2, cause },
      );
    }
  });
}

/** The arms that were stopped, and not resumed since. */
export function stoppedArms(path: string): ReadonlySet<string> {
  const stopped = new Set<string>();
  for (const { what, arm } of readSteering(path)) {
    if (what === "stop-arm" && arm !== undefined) stopped.add(arm);
    if (what === "resume-arm" && arm !== undefined) stopped.delete(arm);
  }
  return stopped;
}
