/** @file A fetch of which nothing comes: how long it is tried, and what is then said. */

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Wire } from "../executors/wire/client.ts";
import { fetchWeights } from "./fetch-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-fetch-"));
  vi.stubEnv("LRSCOPE_CACHE", folder);
  vi.useFakeTimers({ toFake: ["setTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const bytes = Buffer.from("sixteen bytes, ok");
const file = {
  ...{ name: "first.safetensors", bytes: bytes.length },
  sha256: createHash("sha256").update(bytes).digest("hex"),
};

/** Connections that break after so many bytes each, in turn. */
function breaking(after: (connection: number) => number) {
  let connections = 0;
  const wire = {
    ask: () => Promise.reject(new Error("nothing is asked")),
    isLost: () => false,
    fetch: async (_: string, from: number) => {
      const count = after(connections++);
      const body = (async function* () {
        if (count > 0) yield bytes.subarray(from, from + count);
        if (from + count < bytes.length) throw new TypeError("terminated");
      })();
      return { body } as unknown as Response;
    },
  } satisfies Wire;
  return { wire, connections: () => connections };
}

/** Lets pauses pass at once. */
async function settled<T>(work: Promise<T>): Promise<T> {
  let over = false;
  const end = () => {
    over = true;
  };
  work.then(end, end);
  while (!over) {
    vi.runAllTimers();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return work;
}

test("where no byte comes it ends, and says what to look at", async () => {
  const { wire, connections } = breaking(() => 0);
  await expect(settled(fetchWeights(wire, file))).rejects.toThrow(
    "first.safetensors: must come from where the study was begun, and 12 connections for it broke before they had brought a byte (terminated); see whether the file can still be read there",
  );
  expect(connections()).toBe(12);
});

test("as long as something comes it goes on", async () => {
  // Eleven that bring nothing, then one byte, and so on.
  const { wire, connections } = breaking((n) => (n % 12 === 11 ? 1 : 0));
  const path = await settled(fetchWeights(wire, file));
  expect(readFileSync(path)).toEqual(bytes);
  expect(connections()).toBe(12 * bytes.length);
});
