/** @file Files of a trial that were cut short, damaged or half written: its epochs are not lost. */

import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readStoredNetwork } from "../../src/files/stored-network.ts";
import { readSafetensors } from "../../src/files/weight-files.ts";
import {
  newestCheckpoint,
  openRunDirectory,
  sweepTemporaries,
  writeCheckpoint,
} from "../../src/store/index.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { resultOf, runTiny, stopTiny } from "./tiny.ts";

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  let whole: Record<string, string>;
  let stopped: string;
  beforeAll(async () => {
    await runTiny({ directory: within("whole") });
    whole = resultOf(within("whole"));
    stopped = within("stopped");
    await stopTiny(stopped, 3);
  });
  /** A copy of the trial that was stopped within its fourth epoch. */
  const copy = (name: string) => {
    cpSync(stopped, within(name), { recursive: true });
    const trial = join(within(name), "trials/adam-0");
    return { directory: within(name), trial, checkpoints: join(trial, "checkpoints") };
  };
  test("a finished trial keeps its best and last weights, and no checkpoint", () => {
    expect(readdirSync(join(within("whole"), "trials/adam-0")).sort()).toEqual([
      "best.safetensors",
      "last.safetensors",
      "log.txt",
      "metrics.jsonl",
      "trial.json",
    ]);
  });

  test("one under way keeps the last two, which others can read", async () => {
    const { checkpoints } = copy("kept");
    expect(readdirSync(checkpoints).sort()).toEqual([
      "epoch-000002.json",
      "epoch-000002.safetensors",
      "epoch-000003.json",
      "epoch-000003.safetensors",
    ]);
    const { tensors, metadata } = await readSafetensors(
      join(checkpoints, "epoch-000003.safetensors"),
    );
    expect(JSON.parse(metadata.update!)).toBe(12);
    expect([...tensors.keys()].some((name) => /weight:/.test(name))).toBe(true);
  });

  test("stopped and gone on with: the same bytes, and no epoch twice", async () => {
    const { directory } = copy("plain");
    expect(await runTiny({ directory })).toEqual([4, 5]);
    expect(resultOf(directory)).toEqual(whole);
  });

  test.each([
    ["its weights", "epoch-000003.safetensors"],
    ["its record", "epoch-000003.json"],
  ])(
    "the newest checkpoint, %s damaged: that epoch alone is computed again",
    async (what, name) => {
      const { directory, checkpoints } = copy(`damaged ${what}`);
      const file = join(checkpoints, name);
      const bytes = readFileSync(file);
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(file, bytes);
      expect(await runTiny({ directory })).toEqual([3, 4, 5]);
      expect(resultOf(directory)).toEqual(whole);
    },
  );

  test("both damaged: from the beginning, to the same bytes", async () => {
    const { directory, checkpoints } = copy("both");
    for (const name of readdirSync(checkpoints)) writeFileSync(join(checkpoints, name), "");
    expect(await runTiny({ directory })).toEqual([1, 2, 3, 4, 5]);
    expect(resultOf(directory)).toEqual(whole);
  });

  test("temporary files are passed over, and swept away", async () => {
    const { directory, trial, checkpoints } = copy("temporary");
    const part = readFileSync(join(checkpoints, "epoch-000003.safetensors")).subarray(0, 99);
    const files = [".best.safetensors.77.tmp", ".trial.json.77.tmp", ".metrics.jsonl.77.tmp"].map(
      (name) => join(trial, name),
    );
    files.push(join(checkpoints, ".epoch-000004.safetensors.77.tmp"));
    for (const file of files) writeFileSync(file, part);
    expect(await runTiny({ directory })).toEqual([4, 5]);
    expect(resultOf(directory)).toEqual(whole);
    for (const file of files) expect(existsSync(file)).toBe(false);
  });

  test("the appended line cut at every length, or lost, or ahead: as the checkpoint knows it", async () => {
    const { directory, trial, checkpoints } = copy("line");
    const file = join(trial, "metrics.jsonl");
    const text = readFileSync(file, "utf8");
    const { metrics } = newestCheckpoint(checkpoints)!.record;
    const before = text.split("\n").slice(0, 2).join("\n").length + 1;
    const run = openRunDirectory(directory);
    for (let length = before; length <= text.length; length++) {
      writeFileSync(file, text.slice(0, length));
      run.restoreMetrics("adam", 0, metrics);
      if (readFileSync(file, "utf8") !== text) expect(`cut to ${length}`).toBe("completed");
    }
    const ahead = `${text}${JSON.stringify({ ...metrics[2], epoch: 4 })}\n{"epoch": 5, "upd`;
    for (const content of ["", text.slice(0, 40), ahead]) {
      writeFileSync(file, content);
      run.restoreMetrics("adam", 0, metrics);
      expect(readFileSync(file, "utf8")).toBe(text);
    }
    writeFileSync(file, ahead);
    expect(await runTiny({ directory })).toEqual([4, 5]);
    expect(resultOf(directory)).toEqual(whole);
  });

  test.each([1, 2, 3, 4])(
    "best weights that are damaged, stopped after epoch %i",
    async (epoch) => {
      const directory = within(`best ${epoch}`);
      await stopTiny(directory, epoch);
      writeFileSync(join(directory, "trials/adam-0/best.safetensors"), "cut");
      await runTiny({ directory });
      expect(resultOf(directory)).toEqual(whole);
    },
  );

  test("a flipped bit in best weights: prediction refuses them, a resumption trains them again", async () => {
    const { directory, trial } = copy("flipped");
    const file = join(trial, "best.safetensors");
    const bytes = readFileSync(file);
    const header = 8 + Number(bytes.readBigUInt64LE(0));
    await readStoredNetwork(file);
    // Every 97th byte of the tensors, each time another bit of it.
    for (let at = header; at < bytes.length; at += 97) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      writeFileSync(file, flipped);
      const error = await readStoredNetwork(file).catch((thrown) => thrown);
      if (!/its content does not match its checksum/.test(error.message ?? ""))
        expect.fail(`byte ${at} passed`);
    }
    // In the metadata: the class that an answer is called by.
    const renamed = Buffer.from(bytes);
    const name = renamed.indexOf("disc");
    renamed[name]! ^= 1;
    writeFileSync(file, renamed);
    await expect(readStoredNetwork(file)).rejects.toThrow("does not match its checksum");
    await runTiny({ directory });
    expect(resultOf(directory)).toEqual(whole);
  });

  test("sweeping takes nothing but temporary files", () => {
    const { trial } = copy("sweep");
    const before = readdirSync(trial);
    sweepTemporaries(trial);
    expect(readdirSync(trial)).toEqual(before);
  });
});

describe("a checkpoint of a few hundred bytes", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lrscope-checkpoint-"));
    for (const epoch of [1, 2, 3])
      writeCheckpoint(folder, { record: record(epoch), weights: Buffer.alloc(200, epoch) });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const record = (epoch: number) => ({
    formatVersion: 1 as const,
    epoch,
    update: epoch,
    metrics: Array.from({ length: epoch }, (_, index) => ({
      ...{ epoch: index + 1, update: index + 1, lr: 0.1, trainLoss: 1, trainAccuracy: 0.5 },
      ...{ validationLoss: 1, validationAccuracy: 0.5, seconds: 1 },
    })),
    msPerStep: 1,
    seconds: 1,
  });

  test.each(["epoch-000003.json", "epoch-000003.safetensors"])(
    "%s cut at every length: the one before it counts",
    (name) => {
      const bytes = readFileSync(join(folder, name));
      // The record ends in a newline, without which it is as good.
      const shortest = name.endsWith(".json") ? bytes.length - 1 : bytes.length;
      for (let length = 0; length < shortest; length++) {
        writeFileSync(join(folder, name), bytes.subarray(0, length));
        if (newestCheckpoint(folder)?.record.epoch !== 2) expect.fail(`${length} bytes count`);
      }
      writeFileSync(join(folder, name), bytes);
      expect(newestCheckpoint(folder)).toEqual({
        record: record(3),
        weights: Buffer.alloc(200, 3),
      });
    },
  );

  test("a temporary file of every length is passed over, and gone with the next checkpoint", () => {
    const left = join(folder, ".epoch-000004.safetensors.77.tmp");
    for (let length = 0; length <= 200; length++) {
      writeFileSync(left, Buffer.alloc(length, 4));
      if (newestCheckpoint(folder)?.record.epoch !== 3) expect.fail(`${length} bytes count`);
    }
    writeCheckpoint(folder, { record: record(4), weights: Buffer.alloc(200, 4) });
    expect(readdirSync(folder).sort()).toEqual([
      "epoch-000003.json",
      "epoch-000003.safetensors",
      "epoch-000004.json",
      "epoch-000004.safetensors",
    ]);
  });
});
