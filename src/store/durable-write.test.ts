/** @file A disk that fails in every way at every call: what is thrown says what the disk did first. */

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { StoreError, WeightsError } from "../core/errors.ts";
import { removeCheckpoints, writeCheckpoint, writeCheckpointInParts } from "./checkpoints.ts";
import { appendLine, diskFailure, replaceFile, replaceFileInParts } from "./durable-write.ts";
import { acquireLease } from "./lease.ts";
import { openRunDirectory } from "./run-directory.ts";
import { sweepTemporaries } from "./sweep.ts";

/** Calls that fail, with the code that they fail with. */
const { broken } = vi.hoisted(() => ({ broken: new Map<string, string>() }));

vi.mock("node:fs", async (original) => {
  const real = await original<typeof fs>();
  const failing = Object.entries(real).map(([name, value]) => [
    name,
    typeof value !== "function" || !name.endsWith("Sync")
      ? value
      : (...args: never[]) => {
          const code = broken.get(name);
          if (code === undefined) return (value as (...all: never[]) => unknown)(...args);
          throw Object.assign(new Error(`${code}: injected, ${name}`), {
            code,
            syscall: name,
            path: "/somewhere",
          });
        },
  ]);
  return Object.fromEntries(failing);
});

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "lrscope-disk-"));
});
afterEach(() => {
  broken.clear();
  fs.rmSync(folder, { recursive: true, force: true });
});

const thrown = (work: () => unknown): StoreError => {
  try {
    work();
  } catch (error) {
    return error as StoreError;
  }
  return expect.fail("nothing was thrown");
};

const later = async (work: () => unknown): Promise<StoreError> => {
  try {
    await work();
  } catch (error) {
    return error as StoreError;
  }
  return expect.fail("nothing was thrown");
};

async function* partsOf(text: string): AsyncGenerator<Uint8Array> {
  for (const letter of text) yield Buffer.from(letter);
}

/** The ways of replacing a file. */
const WAYS = {
  "at once": (file: string, text: string) => replaceFile(file, text),
  "in parts": (file: string, text: string) => replaceFileInParts(file, partsOf(text)),
};
const writes = ["openSync", "writeSync", "fsyncSync", "closeSync", "renameSync"].flatMap((call) =>
  (Object.keys(WAYS) as (keyof typeof WAYS)[]).map((way) => [call, way] as const),
);

const SAID = {
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full (ENOSPC)",
  EDQUOT: "the disk is full (EDQUOT)",
  EIO: "the disk reports an error (EIO)",
  ESTALE: "the network disk no longer knows it (ESTALE)",
  ENOENT: "its folder is gone (moved, removed, or on a disk that was taken away)",
} as const;
const codes = Object.entries(SAID);

describe.each(codes)("%s", (code, said) => {
  test.each(writes)(
    "of %s while a file is replaced %s, with all clean-up failing too",
    async (call, way) => {
      const file = join(folder, "trial.json");
      // What comes second explains less.
      // After it was closed, there is only the temporary file to take away.
      const clean = call === "renameSync" ? ["rmSync"] : ["rmSync", "closeSync"];
      for (const second of clean) broken.set(second, "EBADF");
      broken.set(call, code);
      const error = await later(() => WAYS[way](file, "content"));
      expect(error).toBeInstanceOf(StoreError);
      expect([error.exitCode, error.message]).toEqual([1, expect.stringContaining(said)]);
      expect(error.message).toContain(file);
    },
  );

  test.each(writes)(
    "of %s while a file is replaced %s: the earlier file stays whole, and no part of the new one",
    async (call, way) => {
      replaceFile(join(folder, "report.html"), "earlier");
      broken.set(call, code);
      const error = await later(() => WAYS[way](join(folder, "report.html"), "later"));
      expect(error.exitCode).toBe(1);
      broken.clear();
      expect(fs.readFileSync(join(folder, "report.html"), "utf8")).toBe("earlier");
      expect(fs.readdirSync(folder)).toEqual(["report.html"]);
    },
  );

  test.each(["openSync", "fstatSync", "writeSync", "fsyncSync", "closeSync"])(
    "of %s while a line is appended, with all clean-up failing too",
    (call) => {
      for (const second of ["ftruncateSync", "closeSync"]) broken.set(second, "EBADF");
      broken.set(call, code);
      const error = thrown(() => appendLine(join(folder, "log.txt"), "line", { durable: true }));
      expect(error).toBeInstanceOf(StoreError);
      expect([error.exitCode, error.message]).toEqual([1, expect.stringContaining(said)]);
    },
  );

  test.each([
    ["readSync", () => checkpoint()],
    ["rmSync", () => removeCheckpoints(folder)],
    ["rmSync", () => sweepTemporaries(folder)],
    ["readFileSync", () => openRunDirectory(folder).restoreMetrics("sgd", 0, [])],
  ] as const)("of %s elsewhere in a run directory", (call, work) => {
    fs.writeFileSync(join(folder, ".a.1.tmp"), "");
    fs.mkdirSync(join(folder, "trials", "sgd-0"), { recursive: true });
    fs.writeFileSync(join(folder, "trials", "sgd-0", "metrics.jsonl"), "{}\n");
    broken.set(call, code);
    const error = thrown(work);
    expect(error).toBeInstanceOf(StoreError);
    expect([error.exitCode, error.message]).toEqual([1, expect.stringContaining(said)]);
  });

  test.each(["linkSync", "writeFileSync", "openSync"])(
    "of %s while a lease is taken",
    async (call) => {
      broken.set(call, code);
      // A lease that is absent is no failure, so a lookup that says so is none.
      if (call === "openSync" && code === "ENOENT") return;
      if (call === "openSync") fs.writeFileSync(join(folder, "lock"), "{}");
      const error = await acquireLease(folder).catch((found) => found);
      expect(error).toBeInstanceOf(StoreError);
      expect([error.exitCode, error.message]).toEqual([1, expect.stringContaining(said)]);
    },
  );

  test("while a lease is given back: release never throws", async () => {
    const lease = await acquireLease(folder);
    for (const call of ["rmSync", "linkSync", "openSync", "unlinkSync"]) broken.set(call, code);
    lease.release();
  });

  test("that nobody expected is the disk's, where only a disk can say it", () => {
    broken.set("copyFileSync", code);
    const error = diskFailure(thrown(() => fs.copyFileSync("a", "b")));
    if (code === "ENOENT") expect(error).toBeNull();
    else expect(error?.message).toContain(`/somewhere: `);
  });
});

function checkpoint(): void {
  const record = { formatVersion: 1, epoch: 1, update: 4, metrics: [], msPerStep: 1, seconds: 1 };
  writeCheckpoint(folder, { record: record as never, weights: new Uint8Array(9) });
}

describe("content in parts", () => {
  test("is written as it is given", async () => {
    await replaceFileInParts(join(folder, "last.safetensors"), partsOf("some weights"));
    expect(fs.readFileSync(join(folder, "last.safetensors"), "utf8")).toBe("some weights");
    expect(fs.readdirSync(folder)).toEqual(["last.safetensors"]);
  });

  test("that ends with an error leaves the earlier file, and the error as it is", async () => {
    const file = join(folder, "last.safetensors");
    replaceFile(file, "earlier");
    const error = new WeightsError("the engine is gone");
    async function* broken() {
      yield Buffer.from("some");
      throw error;
    }
    expect(await later(() => replaceFileInParts(file, broken()))).toBe(error);
    expect(fs.readFileSync(file, "utf8")).toBe("earlier");
    expect(fs.readdirSync(folder)).toEqual(["last.safetensors"]);
  });

  test("makes a checkpoint as content at once does", async () => {
    const record = {
      formatVersion: 1,
      epoch: 1,
      update: 4,
      metrics: [{}],
      msPerStep: 1,
      seconds: 1,
    };
    const [one, other] = [join(folder, "one"), join(folder, "other")];
    writeCheckpoint(one, { record: record as never, weights: Buffer.from("weights") });
    await writeCheckpointInParts(other, { record: record as never, parts: partsOf("weights") });
    for (const name of ["epoch-000001.json", "epoch-000001.safetensors"])
      expect(fs.readFileSync(join(other, name))).toEqual(fs.readFileSync(join(one, name)));
    expect(fs.readdirSync(other)).toEqual(fs.readdirSync(one));
  });
});
