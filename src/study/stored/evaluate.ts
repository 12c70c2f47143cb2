/** @file A stored network scored on labelled images: the numbers, and a page of them. */

import { basename } from "node:path";
import { calibrationOf, proportionInterval } from "../../analysis/index.ts";
import { at } from "../../core/at.ts";
import { DataError, StoreError } from "../../core/errors.ts";
import { VERSION } from "../../core/version.ts";
import { counted, grouped, listed } from "../../core/words.ts";
import { encodePng } from "../../data/png.ts";
import {
  type LabelledImages,
  type LabelledPart,
  openLabelled,
} from "../../datasets/labelled-images.ts";
import { openPredictionDecoder } from "../../datasets/predict.ts";
import type { RecordedSplit } from "../../datasets/recorded-split.ts";
import { cacheDirectory } from "../../files/cache-dir.ts";
import { readStoredNetwork } from "../../files/stored-network.ts";
import { type Scores, scoreImages } from "../../infer/score.ts";
import type { StoredNetwork } from "../../infer/stored-network.ts";
import type { Backend } from "../../program/index.ts";
import type { DataEvent, EvaluationRecord, ExperimentRecord } from "../../record/index.ts";
import { renderEvaluation } from "../../report/index.ts";
import { checkRunDirectory, openRunDirectory, readRun } from "../../store/index.ts";
import { balancedAccuracy } from "../../train/scores.ts";
import {
  type ChosenWeights,
  chooseWeights,
  runOfCheckpoint,
  type TrialChoice,
} from "./run-weights.ts";

/** What to score, with which weights. */
export interface EvaluateOptions extends TrialChoice {
  /** As `predict` takes it: a checkpoint, or a run directory. */
  readonly checkpoint: string;
  /** A folder of class folders, or any other source; its classes are matched to the network's by name. */
  readonly source: string;
  /**
   * Of a source with parts: "train", "validation", "test" or "all"; default the test part, else the validation
   * part. The images that the run of the checkpoint trained on have the parts that it made of them. Any other source is
   * scored whole.
   */
  readonly part?: LabelledPart | undefined;
  readonly backend: Backend;
  /** Folder for evaluation.json, report.html and figures/; without it nothing is written. */
  readonly out?: string | undefined;
  /** Keep the pixels of the surest mistakes, in record and page; default true. */
  readonly samples?: boolean | undefined;
  /** Images a run, and how many are decoded ahead; default 32, or as many as there are. */
  readonly batch?: number | undefined;
  /** Cores; default those that the backend plans for. */
  readonly threads?: number | undefined;
  /** Ends the work between two batches, with an InterruptedError. */
  readonly signal?: AbortSignal | undefined;
  /** Where downloads of sources are kept; default the user's cache folder. */
  readonly cacheDir?: string | undefined;
  readonly onEvent?: ((event: DataEvent) => void) | undefined;
  /** Told the checkpoint that is used and, where the path left a choice, which it is and why. */
  readonly onWeights?: (weights: ChosenWeights) => void;
}

const DECODING = { formatVersion: 1, type: "data", phase: "decode" } as const;

export interface Evaluation {
  readonly record: EvaluationRecord;
  /** Path of the page; null without `out`. */
  readonly report: string | null;
}

/**
 * Scores labelled images with a stored network: accuracy, class by class, confusion, and calibration. Images
 * that cannot be read are left out and named.
 * @throws WeightsError where the checkpoint cannot be read, or its logits overflow
 * @throws DataError for a source that cannot be read, whose classes the network does not know, or of which no
 *   image can be read
 * @throws ArgumentError for an arm or a seed that the run lacks, or a part that the source lacks
 * @throws StoreError where `out` cannot be written, or is not empty
 * @throws InterruptedError where `signal` aborts
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { source, backend, out, signal, onEvent, threads = backend.threads } = options;
  const weights = chooseWeights("evaluate", options.checkpoint, options);
  const stored = await readStoredNetwork(weights.checkpoint);
  if (out !== undefined) checkRunDirectory(out);
  options.onWeights?.(weights);
  const { run, recorded } = recordedRun(weights.checkpoint);
  const labelled = await openLabelled(source, {
    classes: stored.metadata.classes,
    part: options.part,
    recorded,
    cacheDir: cacheDirectory(options.cacheDir),
    signal,
    onEvent,
  });
  const batch = options.batch ?? Math.min(32, labelled.images.length);
  const decoder = openPredictionDecoder(stored.metadata.preprocessing, { capacity: batch, signal });
  let done = 0;
  const scores = await scoreImages({
    stored,
    images: labelled.images,
    labels: labelled.labels,
    decode: async (images) => {
      const decoded = await decoder.decodeListed(images);
      done += images.length;
      const total = labelled.images.length;
      onEvent?.({ ...DECODING, done, total, what: labelled.name });
      return decoded;
    },
    backend,
    batch,
    threads,
    signal,
  }).finally(() => decoder.close());
  const record = recordOf({
    ...{ stored, labelled, scores, samples: options.samples ?? true },
    run,
  });
  return { record, report: out === undefined ? null : write(out, record) };
}

/** The run that a checkpoint lies in, by its directory's name: one whose records are damaged counts as none. */
function recordedRun(checkpoint: string): { run: string | null; recorded?: RecordedSplit } {
  const path = runOfCheckpoint(checkpoint);
  if (path === null) return { run: null };
  try {
    return { run: basename(path), recorded: recordedSplitOf(readRun(path).experiment) };
  } catch (error) {
    if (error instanceof StoreError) return { run: null };
    throw error;
  }
}

/** As the study says it; of a run that recorded none, as its protocol does. */
function recordedSplitOf({ dataset, specification, protocol }: ExperimentRecord): RecordedSplit {
  const { validation, splitSeed, test } = protocol;
  const choices = specification?.data ?? {
    ...(validation === null ? {} : { validation }),
    ...(test === undefined ? {} : { test }),
    splitSeed,
  };
  return { dataset, choices };
}

interface Scored {
  readonly stored: StoredNetwork;
  /** The name of the run's directory; null where the checkpoint lies in none. */
  readonly run: string | null;
  readonly labelled: LabelledImages;
  readonly scores: Scores;
  readonly samples: boolean;
}

function recordOf({ stored, run, labelled, scores, samples }: Scored): EvaluationRecord {
  const { metadata } = stored;
  const { model, dataset, arm, seed, epoch, size, channels, classes: names } = metadata;
  const { answered, counts } = scores;
  const nameOf = (image: number) => at(labelled.images, image, "images").name;
  const leftOut = scores.leftOut.map(({ image, reason }) => ({ file: nameOf(image), reason }));
  if (answered.length === 0)
    throw new DataError(
      `${labelled.name}: none of its ${leftOut.length} files can be used; the first is ${leftOut[0]?.file} (${leftOut[0]?.reason})`,
    );
  const right = answered.filter((entry) => entry.right).length;
  const classes = names.map((name, label) => classScore(name, label, counts));
  return {
    formatVersion: 1,
    lrscope: VERSION,
    source: labelled.name,
    part: labelled.part,
    ...(labelled.replayed && run !== null ? { split: { run, ...labelled.replayed } } : {}),
    network: { model, dataset, arm, seed, epoch, size, channels },
    images: answered.length,
    right,
    accuracy: right / answered.length,
    interval: proportionInterval(right, answered.length),
    balancedAccuracy: balancedAccuracy(classes.map(({ accuracy }) => accuracy)) ?? 0,
    loss: scores.loss,
    classes,
    ...(names.length > 1000 ? {} : { counts: counts.map((row) => [...row]) }),
    calibration: calibrationOf(answered),
    mistakes: scores.mistakes.map(({ image, truth, answer, probability, pixels }) => ({
      file: nameOf(image),
      truth: at(names, truth, "classes"),
      answer: at(names, answer, "classes"),
      probability,
      image: samples
        ? `data:image/png;base64,${Buffer.from(encodePng(pixels, { size, channels: channels === 1 ? 1 : 3 })).toString("base64")}`
        : null,
    })),
    leftOut,
    notes: notesOf(labelled, { run, dataset }),
  };
}

function classScore(name: string, label: number, counts: Scores["counts"]) {
  const row = at(counts, label, "counts");
  const images = Object.values(row).reduce((sum, count) => sum + count, 0);
  const right = row[label] ?? 0;
  const answers = counts.reduce((sum, other) => sum + (other[label] ?? 0), 0);
  return {
    class: name,
    images,
    accuracy: images === 0 ? null : right / images,
    interval: images === 0 ? null : proportionInterval(right, images),
    answers,
    precision: answers === 0 ? null : right / answers,
  };
}

function notesOf(
  labelled: LabelledImages,
  { run, dataset }: { readonly run: string | null; readonly dataset: string },
): string[] {
  const { absent } = labelled;
  const seen = seenBefore(labelled, { run, dataset });
  return [
    ...(seen === null ? [] : [seen]),
    ...(absent.length > 0
      ? [
          `No image is of ${counted(absent.length, "class")} that the network knows: ${listed(absent.slice(0, 10))}${absent.length > 10 ? ", ..." : ""}.`,
        ]
      : []),
  ];
}

const BETTER = "it does better than on new ones";

/** What the run of the network did with these images; null where that is not known. */
function seenBefore(
  { name, part, replayed, otherThanRun }: LabelledImages,
  { run, dataset }: { readonly run: string | null; readonly dataset: string },
): string | null {
  if (replayed) {
    const { train, validation } = replayed;
    switch (part) {
      case "train":
        return `These are the images that “${run}” trained on, by its record: on those ${BETTER}.`;
      case "validation":
        return `These are the images that validated in “${run}”, by its record, and by which its best weights were chosen; it trained on ${grouped(train)} others.`;
      case "test":
        return `These are the images that “${run}” kept for the test, by its record; it trained on ${grouped(train)} others.`;
      case "all":
        return `“${run}” trained on ${grouped(train)} of these images: on those ${BETTER}. --part validation scores the ${grouped(validation)} that validated.`;
    }
  }
  if (dataset !== name || (part !== "all" && part !== "train")) return null;
  const why =
    run === null
      ? " Give the directory of the run to score those that validated."
      : otherThanRun === null
        ? ""
        : ` Which those are cannot be told: ${otherThanRun}.`;
  return `The network was trained on “${dataset}”, as these images are called: on those that it trained on ${BETTER}.${why}`;
}

function write(out: string, record: EvaluationRecord): string {
  const directory = openRunDirectory(out);
  const { html, figures } = renderEvaluation(record);
  directory.writeText("evaluation.json", `${JSON.stringify(record, null, 2)}\n`);
  for (const [name, svg] of Object.entries(figures)) directory.writeText(`figures/${name}`, svg);
  directory.writeText("report.html", html);
  return `${out}/report.html`;
}
