/** @file Benchmarks as lines for people. */

import type { BenchDataRecord } from "../../../bench/data.ts";
import type { BenchEpochRecord } from "../../../bench/epoch.ts";
import type { GrowthRecord } from "../../../bench/grow.ts";
import type { BenchOptimizerRecord } from "../../../bench/optimizer.ts";
import type { BenchStepRecord } from "../../../bench/step.ts";
import type { BenchStudyRecord } from "../../../bench/study.ts";
import type { BenchTransferRecord } from "../../../bench/transfer.ts";
import type { Times } from "../../../bench/turns.ts";
import { percent } from "../../../core/words.ts";
import type { Terminal } from "../../terminal.ts";
import { count, plural, textTable } from "../format.ts";

type Layout = Pick<Terminal, "colors" | "width">;

const milliseconds = (value: number) => value.toFixed(value < 10 ? 2 : 1);

interface Row extends Times {
  readonly name: string;
  readonly ratio: number;
}

const timesTable = (rows: readonly Row[], { colors, width }: Layout): string =>
  textTable(
    ["", "median ms", "min", "max", "times lrscope"],
    rows.map(({ name, medianMs, minMs, maxMs, ratio }) => [
      name,
      milliseconds(medianMs),
      milliseconds(minMs),
      milliseconds(maxMs),
      ratio.toFixed(2),
    ]),
    ["left", "right", "right", "right", "right"],
    colors,
    width,
  );

const machineLine = (record: { machine: { processor: string }; engine: string }) =>
  `${record.machine.processor}; ${record.engine}`;

export function stepText(record: BenchStepRecord, layout: Layout): string[] {
  const { limit, limitRatio } = record;
  return [
    `A training step of ${record.model}, batch ${record.batch}, 3x${record.size}x${record.size}, ${record.precision}`,
    machineLine(record),
    "",
    timesTable([{ name: "lrscope", ...record, ratio: 1 }, ...record.peers], layout),
    "",
    ...(limit && limitRatio !== null
      ? [
          `limit ${milliseconds(limit.limitMs)} ms: convolutions ${milliseconds(limit.convolutionMs)}, ${(limit.otherBytes / 2 ** 20).toFixed(0)} MiB at ${limit.triadGBs.toFixed(1)} GB/s ${milliseconds(limit.otherMs)}; lrscope takes ${limitRatio.toFixed(2)} times as long`,
        ]
      : []),
    `${count(record.imagesPerSecond)} images/s; ${record.peakMemoryMiB.toFixed(1)} MiB of tensors, ${record.residentMiB.toFixed(0)} MiB resident${record.peers.map(({ residentMiB }) => ` (PyTorch ${residentMiB.toFixed(0)})`).join("")}; loaded in ${milliseconds(record.loadMs)} ms`,
    ...record.notes,
  ];
}

export function transferText(record: BenchTransferRecord, layout: Layout): string[] {
  const { cached, head, cachedHead, trainFrom } = record;
  const faster = (gain: number) => 1 / gain;
  const rows = [
    { name: `lrscope, trained from ${trainFrom}`, ...record, ratio: 1 },
    { name: "the same from the feature cache", ...cached, ratio: faster(cached.gain) },
    { name: "lrscope, the head alone", ...head, ratio: faster(head.gain) },
    { name: "the head from the feature cache", ...cachedHead, ratio: faster(cachedHead.gain) },
    ...record.peers,
  ];
  return [
    `A fine-tuning step of ${record.model}, batch ${record.batch}, 3x${record.size}x${record.size}`,
    machineLine(record),
    "",
    timesTable(rows, layout),
    "",
    `features before ${trainFrom}: ${milliseconds(cached.featureMs)} ms and ${count(cached.bytesPerImage)} bytes an image, once; before the head ${milliseconds(cachedHead.featureMs)} ms and ${count(cachedHead.bytesPerImage)} bytes`,
    ...record.notes,
  ];
}

export function epochText(record: BenchEpochRecord, layout: Layout): string[] {
  return [
    `An epoch of the vanilla CNN: ${record.images} JPEGs, ${record.updates} updates of ${record.batch}, 3x${record.size}x${record.size}, augmented`,
    machineLine(record),
    "",
    timesTable([{ name: "lrscope", ...record, ratio: 1 }, ...record.peers], layout),
    "",
    `${record.stepsRatio.toFixed(3)} times its ${record.updates} steps alone (${milliseconds(record.stepMs)} ms each); ${record.residentMiB.toFixed(0)} MiB resident${record.peers.map(({ residentMiB }) => ` (PyTorch ${residentMiB.toFixed(0)})`).join("")}`,
    ...record.notes,
  ];
}

export function studyText(record: BenchStudyRecord, { colors, width }: Layout): string[] {
  const { arms, seeds, epochs, updates, triadGBs } = record;
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  return [
    `A study of ${record.model}: ${plural(arms, "arm")}, ${plural(seeds, "seed")}, ${plural(epochs, "epoch")}, ${plural(updates, "update")} of ${record.batch} each, 3x${record.size}x${record.size}`,
    machineLine(record),
    "",
    textTable(
      ["runs at a time", "cores each", "median s", "min", "max", "gain", "updates/s", "GB/s"],
      record.arrangements.map(({ jobs, threads, medianMs, minMs, maxMs, ...rest }) => [
        ...[String(jobs), String(threads), seconds(medianMs), seconds(minMs), seconds(maxMs)],
        ...[`${rest.gain.toFixed(2)}x`, rest.updatesPerSecond.toFixed(1)],
        rest.gbPerSecond.toFixed(1),
      ]),
      ["right", "right", "right", "right", "right", "right", "right", "right"],
      colors,
      width,
    ),
    "",
    `GB/s: what the updates read and write at least; a triad with ${plural(record.threads, "core")} reaches ${triadGBs.toFixed(1)}`,
  ];
}

export function optimizerText(record: BenchOptimizerRecord, layout: Layout): string[] {
  const peer = record.optimizers.find(({ peers }) => peers.length > 0)?.peers[0];
  return [
    `An update of ${count(record.parameters)} parameters; triad ${record.triadGBs.toFixed(1)} GB/s`,
    machineLine(record),
    "",
    textTable(
      [
        "",
        "median ms",
        "min",
        "max",
        "GB/s",
        "of the triad",
        peer ? `${peer.name}, times` : "peer",
      ],
      record.optimizers.map(({ name, medianMs, minMs, maxMs, peers, ...rest }) => [
        name,
        milliseconds(medianMs),
        milliseconds(minMs),
        milliseconds(maxMs),
        rest.gigabytesPerSecond.toFixed(1),
        percent(rest.triadShare),
        peers[0] ? peers[0].ratio.toFixed(2) : "-",
      ]),
      ["left", "right", "right", "right", "right", "right", "right"],
      layout.colors,
      layout.width,
    ),
    ...record.notes,
  ];
}

export function dataText(record: BenchDataRecord): string[] {
  const { augment, step, openMs } = record;
  return [
    `Data: ${record.images} JPEGs to ${record.size}x${record.size}, ${record.threads} threads`,
    machineLine(record),
    "",
    ...record.decode.map(
      ({ files, imagesPerSecond, isolated }) =>
        `decoding ${files}: ${count(imagesPerSecond)} images/s in this process, ${count(isolated.imagesPerSecond)} in one of its own (${isolated.ratio.toFixed(2)} times as long), as data sets are`,
    ),
    `starting that process: ${milliseconds(record.startMs.medianMs)} ms, once a data set`,
    `opening the folder: ${milliseconds(openMs.first)} ms the first time, ${milliseconds(openMs.cached)} ms afterwards`,
    `augmenting a batch of ${record.batch} on one thread: ${milliseconds(augment.medianMs)} ms, ${percent(record.augmentShare)} of the vanilla step there (${milliseconds(step.medianMs)} ms)`,
  ];
}

export function growthText(record: GrowthRecord, layout: Layout): string[] {
  return [
    `A training step of ${record.model} as it grows`,
    machineLine(record),
    "",
    textTable(
      ["threads", "batch", "size", "median ms", "min", "max", "us / 1000 pixels", "MiB"],
      record.points.map((point) => [
        String(point.threads),
        String(point.batch),
        String(point.size),
        milliseconds(point.medianMs),
        milliseconds(point.minMs),
        milliseconds(point.maxMs),
        point.usPerKilopixel.toFixed(1),
        point.memoryMiB.toFixed(0),
      ]),
      ["right", "right", "right", "right", "right", "right", "right", "right"],
      layout.colors,
      layout.width,
    ),
  ];
}
