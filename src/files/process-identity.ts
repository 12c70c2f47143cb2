/**
 * @file Which process of which machine this is, in words that another process can compare: the boot of
 * the machine, the namespace in which process numbers count (a container has one of its own), the number,
 * and when the process began.
 */

import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { z } from "zod";
import { codeOf } from "../core/errors.ts";

export const processIdentity = z.object({
  pid: z.number().int().positive(),
  /** Clock ticks from the machine's start to the process's; null where the system does not say. */
  started: z.string().nullable(),
  /** Of the machine's run; null where the system does not say. */
  boot: z.string().nullable(),
  /** Hash of the machine's id or, where it has none, its name. Absent in locks of lrscope 0.1. */
  host: z.string().optional(),
  /** Hash of the PID namespace; null where there are none. Absent in locks of lrscope 0.1. */
  namespace: z.string().nullable().optional(),
});
export type ProcessIdentity = z.infer<typeof processIdentity>;

/** Where a process is, as seen from here. */
export type Whereabouts =
  /** Its number can be asked about. */
  | "here"
  /** In a run of this machine that is over, unless two machines carry one name. */
  | "before the restart"
  /** On another machine, or in another container: nothing here knows whether it lives. */
  | "elsewhere";

let known: Required<ProcessIdentity> | undefined;

/** This process: looked up once, unless the system would not say at that moment. */
export function thisProcess(): Required<ProcessIdentity> {
  if (known) return known;
  const found = lookedUp();
  if (found.boot !== null && found.started !== null) known = found;
  return found;
}

const lookedUp = (): Required<ProcessIdentity> => ({
  pid: process.pid,
  started: startOf(process.pid) ?? null,
  boot: read("/proc/sys/kernel/random/boot_id"),
  host: short(read("/etc/machine-id") || read("/var/lib/dbus/machine-id") || hostname()),
  namespace: namespaceOf(),
});

export function whereIs(
  { boot, host, namespace }: ProcessIdentity,
  own: ProcessIdentity = thisProcess(),
): Whereabouts {
  // lrscope 0.1 said neither, and took another boot for a restart.
  if (host === undefined || namespace === undefined)
    return boot === own.boot ? "here" : "before the restart";
  const sameRun = boot === null ? own.boot === null && host === own.host : boot === own.boot;
  if (sameRun) return namespace === own.namespace ? "here" : "elsewhere";
  return host === own.host && boot !== null ? "before the restart" : "elsewhere";
}

/** Whether a process that is here lives. A number may come back: it also has to have begun at the same time. */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  const found = started === null ? undefined : startOf(pid);
  if (found !== undefined) return found === started;
  // Where /proc hides other users' processes (hidepid), only the number can be asked about.
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** Seconds since the machine was started. */
export const secondsSinceBoot = (): number => uptime();

/**
 * Field 22 of /proc/<pid>/stat; the name before it, in brackets, may hold spaces. A process that has
 * ended and waits to be collected has state Z, and writes nothing any more. Source: proc(5).
 * @returns null for one that has ended, undefined where the system says nothing
 */
function startOf(pid: number): string | null | undefined {
  const text = ownsProc() ? read(`/proc/${pid}/stat`) : null;
  if (text === null) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? null : fields[19];
}

/** Whether /proc counts as this process does: a namespace made without a /proc of its own sees its parent's. */
const ownsProc = (): boolean => read("/proc/self/stat")?.split(" ")[0] === String(process.pid);

function namespaceOf(): string | null {
  try {
    return short(readlinkSync("/proc/self/ns/pid"));
  } catch {
    return null;
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return null;
  }
}

/** A hash that tells machines apart and names none: a lock may lie on a disk that others read. */
const short = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12);
