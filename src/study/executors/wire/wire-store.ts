/** @file Where a worker's task tells what comes of it: over the wire, in order, each record and checkpoint once. */

import { createHash } from "node:crypto";
import { StoreError } from "../../../core/errors.ts";
import { checkSeal, sealed } from "../../../files/seal.ts";
import { type Checkpoint, decodeSafetensors, encodeSafetensors } from "../../../formats/index.ts";
import type { EpochMetrics, StudyEvent, TaskFile, TrainedOn } from "../../../record/index.ts";
import type { TrialState } from "../../../train/trial-state.ts";
import type { TaskStore } from "../task-store.ts";
import type { Wire } from "./client.ts";
import { begun, type EndRequest, type Granted, granted, order } from "./messages.ts";

export interface WireStore extends TaskStore {
  /** Takes the task; called before `begin`. */
  take(worker: string): Promise<TaskFile>;
  /** "5.2" of its turn: "attempts/adam-0/5/2"; "" before it was taken. */
  readonly turn: () => string;
  /** Resolves when the task is to stop; rejects where its turn is over. */
  stopAsked(): Promise<void>;
  end(how: EndOf): Promise<void>;
}

type EndOf = EndRequest extends infer E ? (E extends EndRequest ? Omit<E, "seq"> : never) : never;

/** Milliseconds between two reports of updates. */
const REPORT_EVERY = 500;
/** So often, one after another, a connection for weights may break before it has brought a byte. */
const MOST_IDLE = 12;
/** Milliseconds: longer than a question for orders is held. */
const HELD = 60_000;

export function wireStore(
  wire: Wire,
  { key, attempt }: Pick<TaskFile, "key" | "attempt">,
): WireStore {
  const task = `attempts/${encodeURIComponent(key)}/${attempt}`;
  let turn = "";
  let seq = 0;
  let from: TrialState | null | "ended" = null;
  let others: EpochMetrics[][] = [];
  let machines: readonly TrainedOn[] = [];
  let reported = Number.NEGATIVE_INFINITY;
  /** Requests are made one after another: each has the number after the one before. */
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  const post = (what: string, body: object) =>
    inOrder(() =>
      wire.ask(
        { method: "POST", path: `${turn}/${what}`, body: JSON.stringify({ seq: ++seq, ...body }) },
        granted,
      ),
    );
  const put = (what: string, head: object, weights: Uint8Array): Promise<Granted> =>
    inOrder(() => {
      const line = Buffer.from(`${JSON.stringify({ seq: ++seq, ...head })}\n`);
      const body = Buffer.concat([line, weights]);
      return wire.ask({ method: "PUT", path: `${turn}/${what}`, body }, granted);
    });

  const update = (event: StudyEvent) => {
    const now = performance.now();
    if (now - reported < REPORT_EVERY) return;
    reported = now;
    const body = JSON.stringify({ seq: 0, event });
    // What is lost of these, nobody misses.
    void inOrder(() => wire.ask({ method: "POST", path: `${turn}/event`, body }, granted)).catch(
      () => undefined,
    );
  };

  return {
    turn: () => turn,
    async take(worker) {
      const body = JSON.stringify({ worker });
      const path = `${task}/begin`;
      // The folder of a trial may be waited for.
      const found = await wire.ask({ method: "POST", path, body, patience: 120_000 }, begun);
      turn = `${task}/${found.turn}`;
      ({ others, machines } = found);
      if (found.ended) from = "ended";
      else if (found.state) {
        const { checkpoint, best, ...state } = found.state;
        from = {
          ...state,
          checkpoint: await fetched(wire, `${turn}/checkpoint`, checkpoint),
          best: best && (await fetched(wire, `${turn}/best`, best)),
        };
        if (from.best) checkSeal(from.best, `best weights of ${key}`);
      }
      return found.file;
    },
    begin: async () => from,
    recorder: {
      onEvent(event) {
        if (event.type === "update" || event.type === "range-test-update") return update(event);
        return post("event", { event }).then(() => undefined);
      },
      sink: {
        async weights({ which, weights }) {
          await put("weights", { which }, encodeSafetensors(sealed(weights)));
        },
        async checkpoint({ record, weights }) {
          others = (await put("checkpoint", { record }, encodeSafetensors(weights))).others ?? [];
        },
      },
    },
    machines: () => machines,
    others: () => others,
    release: () => undefined,
    async stopAsked() {
      for (;;) {
        const request = { method: "GET", path: `${turn}/order`, patience: HELD } as const;
        if ((await wire.ask(request, order)).stop) return;
      }
    },
    async end(how) {
      await post("end", how);
    },
  };
}

/** Weights that the store keeps, whole. */
async function fetched(
  wire: Wire,
  path: string,
  { bytes, sha256 }: { bytes: number; sha256: string },
): Promise<Checkpoint> {
  const parts: Uint8Array[] = [];
  let done = 0;
  for (let idle = 0; done < bytes; ) {
    const before = done;
    try {
      const response = await wire.fetch(path, done);
      for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
        parts.push(part);
        done += part.byteLength;
      }
    } catch (error) {
      // Cut off in the middle: the rest is asked for. What is refused stays so.
      if (!(error instanceof TypeError)) throw error;
      idle = done > before ? 0 : idle + 1;
      if (idle === MOST_IDLE)
        throw new StoreError(
          `${path}: ${MOST_IDLE} connections for the weights that the trial goes on from broke before they had brought a byte; see whether they can still be read where the study was begun, and what lies between`,
          { exitCode: 1 },
        );
      await new Promise((resolve) => setTimeout(resolve, Math.min(200 * 2 ** idle, 5000)));
    }
  }
  const whole = Buffer.concat(parts);
  if (createHash("sha256").update(whole).digest("hex") !== sha256)
    throw new StoreError(`${path}: other bytes came than are kept there`, { exitCode: 1 });
  return decodeSafetensors(whole, path);
}
