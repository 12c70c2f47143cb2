import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Checkpoint } from "../formats/index.ts";
import { readSafetensors, writeSafetensors } from "./weight-files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lrscope-weights-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const one = (value: number): Checkpoint => ({
  tensors: new Map([["w", { shape: [1], data: Float32Array.of(value) }]]),
  metadata: {},
});

describe("files", () => {
  test("what was written is read, and nothing else lies in the folder", async () => {
    const path = join(folder, "best.safetensors");
    await writeSafetensors(path, one(1));
    await writeSafetensors(path, one(2));
    expect((await readSafetensors(path)).tensors.get("w")!.data[0]).toBe(2);
    expect(await readdir(folder)).toEqual(["best.safetensors"]);
  });

  // In Node, opening a pipe that nobody writes to would wait for ever, and for no signal.
  test.skipIf(process.platform === "win32")("a pipe is no file", async () => {
    const path = join(folder, "pipe");
    expect(spawnSync("mkfifo", [path]).status).toBe(0);
    await expect(readSafetensors(path)).rejects.toThrow("no regular file");
  });

  test("a failed write leaves the old state and no temporary file", async () => {
    const path = join(folder, "taken");
    // A rename onto a folder that holds something fails after the temporary file was written.
    await writeSafetensors(join(folder, "kept"), one(1));
    await mkdir(join(path, "inside"), { recursive: true });
    await expect(writeSafetensors(path, one(2))).rejects.toMatchObject({
      code: "WEIGHTS",
      exitCode: 1,
    });
    expect((await readdir(folder)).sort()).toEqual(["kept", "taken"]);
  });

  test("a folder that does not exist is named, with the remedy", async () => {
    const path = join(folder, "nowhere", "x.safetensors");
    await expect(writeSafetensors(path, one(1))).rejects.toThrow(
      "its folder does not exist: make it first",
    );
  });

  test("a missing file, a folder and a damaged file are named", async () => {
    const path = join(folder, "x.safetensors");
    await expect(readSafetensors(path)).rejects.toThrow(
      `cannot read checkpoint ${path}: there is no such file`,
    );
    await expect(readSafetensors(folder)).rejects.toThrow("it is a folder");
    await writeFile(path, "lr,loss\n1,2\n");
    await expect(readSafetensors(path)).rejects.toThrow(`${path}: not a complete safetensors file`);
  });

  test.skipIf(!existsSync("/proc/self"))(
    "a file system that takes no file is exit code 1",
    async () => {
      const write = writeSafetensors("/proc/x.safetensors", one(1));
      await expect(write).rejects.toMatchObject({ code: "WEIGHTS", exitCode: 1 });
    },
  );
});
