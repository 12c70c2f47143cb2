/**
 * @file Server-sent events of studies. Each connection has a cursor; on every look at the records it is sent what
 * leads from there to here, so that a slow one is never owed more than that.
 */

import type { ServerResponse } from "node:http";
import { packStudy, type StudyEvent, type WorkersRecord } from "../record/index.ts";
import { type FollowedStudy, followStudy } from "./follow-study.ts";
import { rampsUnderWay } from "./ramps-under-way.ts";
import type { Call } from "./route.ts";
import {
  type Cursor,
  decodeCursor,
  encodeCursor,
  eventsSince,
  NO_CURSOR,
  type StudySnapshot,
} from "./study-cursor.ts";

/** Milliseconds between two looks, at least; looking takes at most this part of the time. */
const LOOK = 100;
const SHARE = 1 / 20;
/** Milliseconds between two signs of life. */
const SIGN_OF_LIFE = 15_000;

/** Studies that nobody follows any more, and are kept as they were read: a page that is loaded again finds them. */
const MOST_KEPT = 2;

/** What one message says of one study. */
export interface StudyMessage {
  readonly study: string;
  /** Cursors before and after it; "": it begins anew. What was heard up to another place is of no use with it. */
  readonly from: string;
  readonly to: string;
  /** Whether a process is at work in it, and how it was left where none is. */
  readonly state: string;
  /** Where it is new, or has changed. */
  readonly experiment?: unknown;
  readonly events: readonly StudyEvent[];
  /** Where that has changed: who works at it; null: nobody any more. */
  readonly workers?: WorkersRecord | null;
  /** Why its records cannot be read. */
  readonly problem?: string;
}

/** What a page learns from the records. */
const RECORDED: ReadonlySet<StudyEvent["type"]> = new Set([
  ...(["trial-started", "epoch", "trial-finished", "range-test-finished", "steered"] as const),
]);

export interface EventStreams {
  /** Answers with a stream, until the client goes. */
  open(call: Call, studies: readonly { readonly id: string; readonly path: string }[]): void;
  /** All of a study's records, packed: the message from which a stream goes on. @throws StoreError as followStudy does */
  records(id: string, path: string): Promise<Uint8Array>;
  /** Begins to read a study that somebody may ask for next. */
  expect(id: string, path: string): void;
  /** Passes on what a study says that is not in its records: the update under way. */
  tell(id: string, event: StudyEvent): void;
}

interface Connection {
  readonly response: ServerResponse;
  /** By id. */
  readonly cursors: Map<string, Cursor>;
  readonly states: Map<string, string>;
  /** What was said last of who works at it: when that was so. */
  readonly workers: Map<string, string>;
  last: number;
}

interface Followed {
  readonly path: string;
  readonly study: FollowedStudy;
  readonly connections: Set<Connection>;
  /** Latest of each subject since the last look. */
  live: Map<string, StudyEvent>;
  /** As of the last look: whoever takes the records hears from there on what all the others hear. */
  latest: StudySnapshot | null;
}

/** @param stateOf how a study is: "running" while a process is at work in it */
export function eventStreams(stateOf: (path: string) => string): EventStreams {
  const followed = new Map<string, Followed>();
  /** Oldest first. */
  const kept = new Map<string, Followed>();
  const ramps = rampsUnderWay();
  let timer: NodeJS.Timeout | undefined;
  const known = (id: string, path: string): Followed =>
    followed.get(id) ??
    kept.get(id) ?? {
      ...{ path, study: followStudy(path), connections: new Set(), live: new Map(), latest: null },
    };
  const keep = (id: string, study: Followed) => {
    kept.delete(id);
    kept.set(id, { ...study, latest: null });
    for (const oldest of [...kept.keys()].slice(0, -MOST_KEPT)) kept.delete(oldest);
  };

  const look = () => {
    for (const [id, study] of followed) {
      const { live } = study;
      study.live = new Map();
      let seen: { snapshot: ReturnType<FollowedStudy["refresh"]> } | { problem: string };
      try {
        seen = { snapshot: study.study.refresh() };
        study.latest = seen.snapshot;
      } catch (error) {
        // Whoever comes now is to hear of it, too.
        study.latest = null;
        seen = { problem: error instanceof Error ? error.message : String(error) };
      }
      const state = "problem" in seen ? "damaged" : stateOf(study.path);
      const workers = workersOf(study, state);
      for (const connection of study.connections) {
        // What it has not taken yet is enough: the next look sends all that came meanwhile.
        if (connection.response.writableNeedDrain) continue;
        const told = connection.states.get(id);
        const before = connection.cursors.get(id);
        const from = before ? encodeCursor(before) : "";
        if ("problem" in seen) {
          const said = `${state}: ${seen.problem}`;
          const { problem } = seen;
          if (told !== said)
            write(connection, { study: id, from, to: from, state, events: [], problem });
          connection.states.set(id, said);
          continue;
        }
        const { events, after, isNew } = eventsSince(before ?? NO_CURSOR, seen.snapshot);
        // Whoever has not heard of it before hears of ramps that are not on the disk from their beginning.
        const all = [...events, ...(told === undefined ? ramps.of(id) : []), ...live.values()];
        const isSame = (connection.workers.get(id) ?? "") === (workers?.at ?? "");
        if (all.length === 0 && !isNew && told === state && isSame) continue;
        connection.workers.set(id, workers?.at ?? "");
        connection.cursors.set(id, after);
        connection.states.set(id, state);
        write(connection, {
          ...{ study: id, from, to: encodeCursor(after), state, events: all },
          ...(isNew ? { experiment: seen.snapshot.experiment } : {}),
          ...(isSame ? {} : { workers }),
        });
      }
    }
    const now = performance.now();
    for (const { connections } of followed.values())
      for (const connection of connections)
        if (now - connection.last > SIGN_OF_LIFE) {
          connection.response.write(":\n\n");
          connection.last = now;
        }
  };

  /** Looks now, and again after a while; what takes long is done less often. */
  const lookOn = () => {
    clearTimeout(timer);
    const began = performance.now();
    look();
    const took = performance.now() - began;
    timer = setTimeout(lookOn, Math.max(LOOK, took / SHARE)).unref();
  };

  /** One reading of each at a time. */
  const readings = new Map<string, Promise<void>>();
  const readAhead = (id: string, path: string): Promise<void> => {
    const study = known(id, path);
    if (!followed.has(id)) keep(id, study);
    const reading = readings.get(id) ?? study.study.readAhead().finally(() => readings.delete(id));
    readings.set(id, reading);
    return reading;
  };

  return {
    expect(id, path) {
      if (followed.size === 0) void readAhead(id, path);
    },
    async records(id, path) {
      await readAhead(id, path);
      const study = known(id, path);
      const snapshot = study.latest ?? study.study.refresh();
      const { events, after } = eventsSince(NO_CURSOR, snapshot);
      const state = stateOf(path);
      const workers = workersOf(study, state);
      return packStudy({
        ...{ study: id, from: "", to: encodeCursor(after), state, events },
        ...{ experiment: snapshot.experiment, workers },
      } satisfies StudyMessage);
    },
    open({ request, response, url, signal }, studies) {
      const since = request.headers["last-event-id"] ?? url.searchParams.get("since") ?? "";
      const connection: Connection = {
        response,
        cursors: cursorsOf(String(since)),
        states: new Map(),
        workers: new Map(),
        last: performance.now(),
      };
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      });
      // Who asks for the head alone follows nothing.
      if (request.method === "HEAD") return void response.end();
      response.write("retry: 500\n\n");
      for (const { id, path } of studies) {
        const found = known(id, path);
        kept.delete(id);
        followed.set(id, found);
        found.connections.add(connection);
      }
      lookOn();
      signal.addEventListener("abort", () => {
        for (const [id, study] of followed) {
          study.connections.delete(connection);
          if (study.connections.size > 0) continue;
          followed.delete(id);
          keep(id, study);
        }
        if (followed.size === 0) clearTimeout(timer);
        response.end();
      });
    },
    tell(id, event) {
      ramps.hear(id, event);
      // What is in the records is told from there: heard from both, an epoch could undo the one after it.
      if (RECORDED.has(event.type)) return;
      const key = "seed" in event ? `${event.type} ${event.arm} ${event.seed}` : event.type;
      // Of a ramp each update is a point of its curve; of a trial the latest says it all.
      const own = event.type === "range-test-update" ? `${key} ${event.update}` : key;
      followed.get(id)?.live.set(own, event);
    },
  };
}

/** What a study says that was killed holds no more. */
const workersOf = ({ study }: Followed, state: string): WorkersRecord | null =>
  state === "running" ? study.workers() : null;

function write(connection: Connection, message: StudyMessage): void {
  const id = [...connection.cursors].map(([key, at]) => `${key}=${encodeCursor(at)}`).join("|");
  connection.response.write(`id: ${id}\ndata: ${JSON.stringify(message)}\n\n`);
  connection.last = performance.now();
}

/** "<study>=<cursor>|<study>=<cursor>" */
const cursorsOf = (text: string): Map<string, Cursor> =>
  new Map(
    text.split("|").flatMap((part) => {
      const [id = "", cursor = ""] = part.split("=");
      const known = /^[0-9a-f]{16}$/.test(id) ? decodeCursor(cursor) : null;
      return known ? [[id, known] as const] : [];
    }),
  );
