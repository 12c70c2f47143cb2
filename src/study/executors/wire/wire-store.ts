/** @file Where a worker's task tells what comes of it: over the wire, in order, each record and checkpoint once. */

import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { quietly } from "../../../core/cleanup.ts";
import { StoreError } from "../../../core/errors.ts";
import { cacheDirectory } from "../../../files/cache-dir.ts";
import { checkSeal, sealed } from "../../../files/seal.ts";
import { sweepTemporaries, temporaryFor } from "../../../files/temporaries.ts";
import { readSafetensors } from "../../../files/weight-files.ts";
import { type Checkpoint, safetensorsPieces } from "../../../formats/index.ts";
import type { EpochMetrics, StudyEvent, TaskFile, TrainedOn } from "../../../record/index.ts";
import type { TrialState } from "../../../train/trial-state.ts";
import type { TaskStore } from "../task-store.ts";
import type { Wire } from "./client.ts";
import { begun, type EndRequest, type Granted, granted, order } from "./messages.ts";
import { receiveFiles } from "./receive-files.ts";

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
/** Milliseconds: longer than a question for orders is held. */
const HELD = 60_000;

export interface WireTask extends Pick<TaskFile, "key" | "attempt"> {
  /** Bytes of a file of weights, at most: a trial that goes on from larger ones is not this study's. */
  readonly mostWeights: number;
}

export function wireStore(wire: Wire, { key, attempt, mostWeights }: WireTask): WireStore {
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
  const put = (what: string, head: object, weights: Checkpoint): Promise<Granted> =>
    inOrder(() => {
      const pieces = safetensorsPieces(weights);
      const hash = createHash("sha256");
      for (const piece of pieces) hash.update(piece);
      const said = { seq: ++seq, ...head, sha256: hash.digest("hex") };
      const body = [Buffer.from(`${JSON.stringify(said)}\n`), ...pieces];
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

  /** Weights that the store keeps: they come into a file of the cache, which is gone once they are read. */
  const fetched = async (
    what: "checkpoint" | "best",
    { bytes, sha256 }: { bytes: number; sha256: string },
  ): Promise<Checkpoint> => {
    if (bytes > mostWeights)
      throw new StoreError(
        `${turn}/${what}: must have at most ${mostWeights} bytes, as the study's network has its weights; ${bytes} are announced. See whether the worker's and the comparison's lrscope are the same`,
        { exitCode: 1 },
      );
    const folder = join(cacheDirectory(undefined), "fetched");
    await sweepTemporaries(folder);
    const own = temporaryFor(join(folder, "trial"));
    const name = `${what}.safetensors`;
    try {
      await receiveFiles(wire, `${turn}/${what}`, {
        ...{ folder: own, files: [{ name, bytes, sha256 }] },
        remedy: "the next attempt at it begins from what can still be read there",
      });
      return await readSafetensors(join(own, name));
    } finally {
      quietly(() => rmSync(own, { recursive: true, force: true }));
    }
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
          checkpoint: await fetched("checkpoint", checkpoint),
          best: best && (await fetched("best", best)),
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
          await put("weights", { which }, sealed(weights));
        },
        async checkpoint({ record, weights }) {
          others = (await put("checkpoint", { record }, weights)).others ?? [];
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
