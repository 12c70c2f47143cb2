import { expect, test } from "vitest";
import { findTorchPythons, startTorch } from "./peers.ts";
import { openTorchPeers } from "./torch-peers.ts";

const flags = { model: "vanilla", batch: 2, channels: 3, size: 16, classes: 5, threads: 1 };
const pythons = await findTorchPythons();

test("Pythons that are not there, or have no PyTorch, are none", async () => {
  expect(await findTorchPythons(["no-such-python", process.execPath])).toEqual([]);
});

test.skipIf(pythons.length === 0)("each version is found once", () => {
  const versions = pythons.map(({ version }) => version);
  expect(new Set(versions).size).toBe(versions.length);
  for (const version of versions) expect(version).toMatch(/^\d+\.\d+/);
});

test.skipIf(pythons.length === 0)(
  "blocks of other widths have the parameters of ours",
  async () => {
    const peer = await startTorch(pythons[0]!.python, {
      ...flags,
      widths: "4,8",
      layout: "contiguous",
    });
    try {
      // Convolutions with biases and norms, 8 channels of 4 by 4 pixels into 512, and 5 classes.
      const convolutions = 9 * 3 * 4 + 3 * 4 + 9 * 4 * 8 + 3 * 8;
      expect(peer.parameters).toBe(convolutions + 8 * 16 * 512 + 512 + 512 * 5 + 5);
      expect(peer.name).toMatch(/, contiguous, 1 thread$/);
    } finally {
      peer.close();
    }
  },
);

test("an interrupted search opens nothing", async () => {
  const opened = openTorchPeers({ flags, notes: [], signal: AbortSignal.abort() });
  if (pythons.length > 0) await expect(opened).rejects.toThrow("interrupted");
  else expect(await opened).toEqual({ peers: [], tried: [] });
});
