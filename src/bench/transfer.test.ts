import { expect, test } from "vitest";
import { findTorchPython, startTorch } from "./peers.ts";
import { benchTransfer } from "./transfer.ts";

test.each([
  [{ batch: 0 }, "bench transfer: batch must be a positive integer; got 0"],
  [{ repetitions: Number.NaN }, "bench transfer: repetitions must be a positive integer; got NaN"],
  [{ model: "resnet43" }, '"resnet43"'],
])("%o is refused", async (options, message) => {
  await expect(benchTransfer(options)).rejects.toThrow(message);
});

test("what it says follows from what it measured", async () => {
  const options = { model: "vanilla", batch: 2, size: 16, threads: 1, repetitions: 1 };
  const record = await benchTransfer({ ...options, peers: false });
  expect(record).toMatchObject({ ...options, trainFrom: "head", peers: [], notes: [] });
  // Of four images a class, three are trained on.
  expect(record.updatesPerEpoch).toBe(6);
  expect(record.imagesPerSecond).toBeCloseTo(2000 / record.medianMs, 6);
  for (const side of [record.cached, record.head, record.cachedHead])
    expect(side.gain).toBeCloseTo(record.medianMs / side.medianMs, 9);
  // 128 features before the first dropout, in bfloat16, of 16 images; the file has a page of header.
  for (const { bytesPerImage } of [record.cached, record.cachedHead])
    expect(bytesPerImage).toBe(2 * 128 + 4096 / 16);
  expect(record.cached.featureMs).toBeGreaterThan(0);
});

test("PyTorch's peer freezes what comes before a module", async ({ skip }) => {
  const python = await findTorchPython();
  if (python === null) skip("no python3 has PyTorch (Debian: python3-torch)");
  const options = { batch: 2, channels: 3, size: 32, classes: 4, threads: 1, trainFrom: "layer4" };
  const peer = await startTorch(python!, { ...options, model: "resnet18" });
  try {
    expect(peer.parameters).toBe(11_178_564);
    expect(await peer.run(2)).toHaveLength(2);
  } finally {
    peer.close();
  }
  const vanilla = startTorch(python!, { ...options, model: "vanilla" });
  await expect(vanilla).rejects.toThrow("no top-level module 'layer4'");
});
