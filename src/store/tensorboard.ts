/**
 * @file Event files for TensorBoard, one a trial. The container is TFRecord: length (8 bytes,
 * little-endian), masked CRC-32C of the length, data, masked CRC-32C of the data. Each record is an
 * Event in protocol buffers' wire format, of which the few fields needed are encoded here:
 *
 *   Event    1 wall_time double   2 step int64   3 file_version string   5 summary Summary
 *   Summary  1 value Value (repeated)
 *   Value    1 tag string   2 simple_value float
 *
 * After tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto and
 * tensorflow/core/lib/io/record_writer.cc of TensorFlow 2.x.
 */

import type { EpochMetrics, RangeTestRecord, TrialHistory } from "../record/index.ts";
import { maskedCrc32c } from "./crc32c.ts";
import type { Run } from "./read-run.ts";

/** What TensorBoard calls a run: a folder below its log directory, holding one event file. */
export interface EventFile {
  /** `<arm's slug>-<seed>/events.out.tfevents.<seconds>.lrscope` */
  readonly name: string;
  readonly content: Uint8Array;
}

/** A point of several scalars at one step. */
interface ScalarPoint {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly values: Readonly<Record<string, number | null | undefined>>;
}

/**
 * Of each trial: accuracy, loss and learning rate by epoch; of each run of a range test: loss,
 * smoothed loss and learning rate by update. The times are the experiment's beginning plus the
 * seconds of the epochs before, so that TensorBoard's relative axis shows the time of training.
 * What is not finite is left out.
 */
export function tensorboardFiles({ experiment, trials, rangeTests }: Run): EventFile[] {
  const began = Date.parse(experiment.created) / 1000;
  const start = Number.isFinite(began) ? began : 0;
  const file = (folder: string, points: readonly ScalarPoint[]): EventFile => ({
    name: `${folder}/events.out.tfevents.${Math.floor(start)}.lrscope`,
    content: eventFile(start, points),
  });
  const slug = (arm: string) =>
    experiment.arms.find(({ name }) => name === arm)?.slug ?? arm.replace(/[^\w.-]+/g, "-");
  return [
    ...trials
      .filter(({ metrics }) => metrics.length > 0)
      .map((measured) =>
        file(`${measured.trial.slug}-${measured.trial.seed}`, trialPoints(measured, start)),
      ),
    ...rangeTests.flatMap((test) =>
      test.runs.map((run) =>
        file(`range-test-${slug(test.arm)}-${run.seed}`, rangeTestPoints(run, start)),
      ),
    ),
  ];
}

function trialPoints({ metrics }: TrialHistory, start: number): ScalarPoint[] {
  let wallTime = start;
  return metrics.map((line: EpochMetrics) => {
    wallTime += line.seconds;
    return {
      wallTime,
      step: line.epoch,
      values: {
        "accuracy/train": line.trainAccuracy,
        "accuracy/validation": line.validationAccuracy,
        "loss/train": line.trainLoss,
        "loss/validation": line.validationLoss,
        learning_rate: line.lr,
      },
    };
  });
}

const rangeTestPoints = (run: RangeTestRecord["runs"][number], start: number): ScalarPoint[] =>
  run.points.map(({ update, lr, loss, smoothedLoss }) => ({
    wallTime: start,
    step: update,
    values: {
      "range_test/loss": loss,
      "range_test/smoothed_loss": smoothedLoss,
      "range_test/learning_rate": lr,
    },
  }));

/** A whole file: the event that says which version it is of, then one event a point. */
function eventFile(start: number, points: readonly ScalarPoint[]): Uint8Array {
  return concatenate([
    record(concatenate([double(1, start), bytes(3, text("brain.Event:2"))])),
    ...points.map(({ wallTime, step, values }) => {
      const summary = Object.entries(values).flatMap(([tag, value]) =>
        typeof value === "number" && Number.isFinite(value)
          ? [bytes(1, concatenate([bytes(1, text(tag)), float(2, value)]))]
          : [],
      );
      const event = [double(1, wallTime), integer(2, step), bytes(5, concatenate(summary))];
      return record(concatenate(event));
    }),
  ]);
}

function record(data: Uint8Array): Uint8Array {
  const head = new Uint8Array(12);
  const view = new DataView(head.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(head.subarray(0, 8)), true);
  const tail = new Uint8Array(4);
  new DataView(tail.buffer).setUint32(0, maskedCrc32c(data), true);
  return concatenate([head, data, tail]);
}

// Wire types of protocol buffers: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.

/** Seven bits a byte, least significant first; 0 <= value < 2^53. */
function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Uint8Array.from([...out, rest]);
}

const key = (field: number, wire: 0 | 1 | 2 | 5) => varint(field * 8 + wire);

const integer = (field: number, value: number) => concatenate([key(field, 0), varint(value)]);

function double(field: number, value: number): Uint8Array {
  const body = new Uint8Array(8);
  new DataView(body.buffer).setFloat64(0, value, true);
  return concatenate([key(field, 1), body]);
}

function float(field: number, value: number): Uint8Array {
  const body = new Uint8Array(4);
  new DataView(body.buffer).setFloat32(0, value, true);
  return concatenate([key(field, 5), body]);
}

const bytes = (field: number, body: Uint8Array) =>
  concatenate([key(field, 2), varint(body.length), body]);

const text = (value: string) => new TextEncoder().encode(value);

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
