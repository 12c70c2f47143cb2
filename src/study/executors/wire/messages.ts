/** @file What a worker and the process that holds the run directory send each other over HTTP, beside weights. */

import { z } from "zod";
import { PRECISIONS } from "../../../compile/graph/precision.ts";
import {
  checkpointRecord,
  datasetRecord,
  epochMetrics,
  planRecord,
  studyEvent,
  taskFile,
  trainedOn,
} from "../../../record/index.ts";
import type { SetupSpec } from "../../setup.ts";
import { oneName } from "./sent-files.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

/** A file that is fetched, or has to be there, by its content. */
const namedFile = z.object({ name: z.string(), sha256 });

/** Of what is trained: names, and null for what lies somewhere on a machine. */
export type WireSetup = Omit<SetupSpec, "source" | "model" | "pretrained" | "files" | "again"> & {
  readonly source: string | null;
  readonly model: string | null;
  readonly pretrained: string | null;
};

/** What every task of a study needs. */
export const studyDescription = z.object({
  lrscope: z.string(),
  setup: z.looseObject({
    source: z.string().nullable(),
    model: z.string().nullable(),
    pretrained: z.string().nullable(),
    recipe: z.looseObject({ precision: z.enum(PRECISIONS).optional() }),
  }) as unknown as z.ZodType<WireSetup>,
  dataset: datasetRecord,
  plan: planRecord,
  processor: z.string(),
  /** Files of code, which the worker has, or gets no task: of the network, and of arms. */
  model: namedFile.nullable(),
  arms: z.array(namedFile),
  /** Weights that are fetched by their hash. */
  weights: namedFile.extend({ name: oneName, bytes: count }).nullable(),
  /** Whether workers whose plan differs get tasks, too. */
  mixed: z.boolean(),
});
export type StudyDescription = z.infer<typeof studyDescription>;

/** Weights that a trial goes on from. */
const storedWeights = z.object({ bytes: count, sha256 });

/** Where a task stands. */
export const begun = z.object({
  turn: z.number().int().positive(),
  file: taskFile,
  /** Nothing is left of it. */
  ended: z.boolean(),
  /** null at the beginning. */
  state: z
    .object({
      metrics: z.array(epochMetrics),
      msPerStep: z.number().nullable(),
      seconds: z.number(),
      bestKept: z.number().int().nullable(),
      checkpoint: storedWeights,
      best: storedWeights.nullable(),
    })
    .nullable(),
  others: z.array(z.array(epochMetrics)),
  /** Those that have trained it so far, where workers may differ. */
  machines: z.array(trainedOn),
});
export type Begun = z.infer<typeof begun>;

/** The number of a request of its turn, from 1: a repeated one changes nothing. */
const sequenced = { seq: z.number().int().positive() };

export const beginRequest = z.object({ worker: z.string().max(300) });
/** seq 0: told, and not recorded. */
export const eventRequest = z.object({ seq: count, event: studyEvent });
/** Before weights: the checksum of their file, as they are stored as they come. */
const beforeWeights = { ...sequenced, sha256 };
export const weightsRequest = z.object({
  ...beforeWeights,
  which: z.enum(["best", "last", "averaged"]),
});
export const checkpointRequest = z.object({ ...beforeWeights, record: checkpointRecord });

/** How a turn ended. "given back": the worker leaves; "died": the process did, before it could say anything. */
export const endRequest = z.discriminatedUnion("how", [
  z.object({
    ...sequenced,
    how: z.literal("ended"),
    error: z
      .object({ code: z.string().nullable(), message: z.string(), exitCode: z.number().int() })
      .nullable(),
  }),
  z.object({ ...sequenced, how: z.literal("given back") }),
]);
export type EndRequest = z.infer<typeof endRequest>;
export const diedRequest = z.object({
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  log: z.array(z.string()).max(100),
});
export type DiedRequest = z.infer<typeof diedRequest>;
export const unfitRequest = z.object({ worker: z.string().max(300), reason: z.string().max(4000) });

/** Of a request that was granted. */
export const granted = z.object({ others: z.array(z.array(epochMetrics)).optional() });
export type Granted = z.infer<typeof granted>;
export const order = z.object({ stop: z.boolean() });
