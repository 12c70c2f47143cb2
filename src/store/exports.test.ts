/** @file metrics.csv and TensorBoard's event files, read back by a decoder written from the published formats. */

import { describe, expect, test } from "vitest";
import type { ExperimentRecord, TrialHistory, TrialRecord } from "../record/index.ts";
import { crc32c, maskedCrc32c } from "./crc32c.ts";
import { metricsCsv } from "./metrics-csv.ts";
import type { Run } from "./read-run.ts";
import { tensorboardFiles } from "./tensorboard.ts";

const epoch = (number: number, more: object = {}) => ({
  epoch: number,
  update: number * 7,
  lr: 0.1 / 3,
  trainLoss: 1.25,
  trainAccuracy: 0.5,
  validationLoss: 1.5,
  validationAccuracy: 0.4375,
  seconds: 2.5,
  ...more,
});
const trial = (arm: string, seed: number, metrics: TrialHistory["metrics"]): TrialHistory => ({
  trial: { arm, seed, slug: arm.replace(/\W+/g, "-") } as TrialRecord,
  metrics,
});
const trials = [
  trial("sgd+clr", 0, [epoch(1), epoch(2)]),
  trial('odd, "arm"', 300, [
    epoch(1),
    epoch(2, {
      trainLoss: null,
      trainAccuracy: null,
      validationLoss: null,
      validationAccuracy: null,
      diverged: true,
    }),
  ]),
  trial("idle", 0, []),
];

test("metrics.csv: one line an epoch and trial, gaps empty, names quoted", () => {
  expect(metricsCsv(trials).split("\n")).toEqual([
    "arm,seed,epoch,update,lr,train_loss,train_accuracy,validation_loss,validation_accuracy,seconds,diverged",
    `sgd+clr,0,1,7,${0.1 / 3},1.25,0.5,1.5,0.4375,2.5,0`,
    `sgd+clr,0,2,14,${0.1 / 3},1.25,0.5,1.5,0.4375,2.5,0`,
    `"odd, ""arm""",300,1,7,${0.1 / 3},1.25,0.5,1.5,0.4375,2.5,0`,
    `"odd, ""arm""",300,2,14,${0.1 / 3},,,,,2.5,1`,
    "",
  ]);
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])(
  "metrics.csv: the arm %j is no formula",
  (arm) => {
    const [, line = ""] = metricsCsv([trial(arm, 0, [epoch(1)])]).split("\n");
    expect(line.replace(/^"/, "").startsWith("'")).toBe(true);
  },
);

describe("CRC-32C", () => {
  // RFC 3720, appendix B.4.
  test.each([
    ["32 zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["0 to 31", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ["31 to 0", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ["123456789", new TextEncoder().encode("123456789"), 0xe3069283],
  ])("of %s", (_, bytes, want) => expect(crc32c(bytes)).toBe(want));
});

interface Field {
  number: number;
  wire: number;
  value: number;
  body: Uint8Array;
}

/** Any message in protocol buffers' wire format, field by field. */
function fieldsOf(bytes: Uint8Array): Field[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [number, wire] = [key >> 3, key & 7];
    const field: Field = { number, wire, value: Number.NaN, body: new Uint8Array() };
    if (wire === 0) field.value = varint();
    else if (wire === 1) [field.value, at] = [view.getFloat64(at, true), at + 8];
    else if (wire === 5) [field.value, at] = [view.getFloat32(at, true), at + 4];
    else if (wire === 2) {
      const length = varint();
      field.body = bytes.subarray(at, at + length);
      at += length;
    } else throw new Error(`wire type ${wire}`);
    out.push(field);
  }
  expect(at).toBe(bytes.length);
  return out;
}

/** Records of a TFRecord file, both checksums of each verified. */
function recordsOf(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const out: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc32c(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc32c(data));
    out.push(data);
    at += 16 + length;
  }
  return out;
}

const decode = new TextDecoder();

function eventsOf(file: Uint8Array) {
  return recordsOf(file).map((data) => {
    const fields = fieldsOf(data);
    const number = (n: number) => fields.find((field) => field.number === n)?.value;
    const body = (n: number) => fields.find((field) => field.number === n)?.body;
    const scalars = body(5)
      ? fieldsOf(body(5)!).map(({ body: value }) => {
          const [tag, simple] = fieldsOf(value);
          return [decode.decode(tag!.body), simple!.value] as const;
        })
      : [];
    const version = body(3);
    return {
      wallTime: number(1),
      step: number(2),
      version: version && decode.decode(version),
      scalars: Object.fromEntries(scalars),
    };
  });
}

describe("event files", () => {
  const run: Run = {
    experiment: {
      created: "2026-01-31T10:00:00.000Z",
      arms: [{ name: "sgd+clr", slug: "sgd-clr" }],
    } as ExperimentRecord,
    rangeTests: [
      {
        arm: "sgd+clr",
        runs: [
          {
            seed: 3,
            points: [
              { update: 0, lr: 1e-7, loss: 1.5, smoothedLoss: 1.5 },
              { update: 200, lr: 1, loss: null, smoothedLoss: null },
            ],
          },
        ],
      } as unknown as Run["rangeTests"][number],
    ],
    trials,
    summary: null,
  };
  const began = Date.UTC(2026, 0, 31, 10) / 1000;
  const files = tensorboardFiles(run);

  test("one a trial that began, and one a run of a range test", () => {
    expect(files.map(({ name }) => name)).toEqual([
      `sgd-clr-0/events.out.tfevents.${began}.lrscope`,
      `odd-arm--300/events.out.tfevents.${began}.lrscope`,
      `range-test-sgd-clr-3/events.out.tfevents.${began}.lrscope`,
    ]);
  });

  test("begin with their version, then an event an epoch", () => {
    const [version, first, second, ...rest] = eventsOf(files[0]!.content);
    expect(version).toMatchObject({ version: "brain.Event:2", wallTime: began });
    expect(first).toMatchObject({
      wallTime: began + 2.5,
      step: 1,
      scalars: {
        "accuracy/train": 0.5,
        "accuracy/validation": 0.4375,
        "loss/train": 1.25,
        "loss/validation": 1.5,
        learning_rate: Math.fround(0.1 / 3),
      },
    });
    expect(second).toMatchObject({ wallTime: began + 5, step: 2 });
    expect(rest).toEqual([]);
  });

  test("what is not finite is left out", () => {
    const diverged = eventsOf(files[1]!.content)[2]!;
    expect(diverged.scalars).toEqual({ learning_rate: Math.fround(0.1 / 3) });
    const lost = eventsOf(files[2]!.content)[2]!;
    expect(lost).toMatchObject({ step: 200, scalars: { "range_test/learning_rate": 1 } });
  });
});
