/** @file PyTorch's files, written by PyTorch itself (torch_files.py): what they hold, and what is refused. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { WeightsError } from "../../src/core/errors.ts";
import { readTorch } from "../../src/files/weight-files.ts";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/torch/${name}`, import.meta.url));
const expected: Record<string, { shape: number[]; values: number[] }> = JSON.parse(
  readFileSync(fixture("values.json"), "utf8"),
);

describe("every tensor of every element type, view and shared storage", () => {
  test.each(["zip.pth", "older.pth", "protocol4.pth"])("%s", (file) => {
    const { tensors } = readTorch(fixture(file));
    expect([...tensors.keys()]).toEqual(Object.keys(expected));
    for (const [name, { shape, values }] of Object.entries(expected)) {
      const stored = tensors.get(name)!;
      expect(stored.shape, name).toEqual(shape);
      expect(Array.from(stored.data, Number), name).toEqual(values);
    }
  });

  test("tensors of one storage share its memory", () => {
    const { tensors } = readTorch(fixture("zip.pth"));
    expect(tensors.get("shared_first")!.data.buffer).toBe(tensors.get("shared_last")!.data.buffer);
  });
});

describe("where the state_dict lies", () => {
  test("under a usual key, with DataParallel's prefix taken off", () => {
    const { tensors } = readTorch(fixture("nested.pth"));
    expect([...tensors.keys()]).toEqual(["float32", "float64"]);
    expect(Array.from(tensors.get("float64")!.data, Number)).toEqual(expected.float64!.values);
  });

  test("a module's, with its counter of batches", () => {
    const { tensors } = readTorch(fixture("module.pth"));
    expect([...tensors.keys()]).toEqual([
      "0.weight",
      "0.bias",
      "1.weight",
      "1.bias",
      "1.running_mean",
      "1.running_var",
      "1.num_batches_tracked",
    ]);
    expect(tensors.get("0.weight")!.shape).toEqual([2, 1, 3, 3]);
  });
});

describe("what is not plain data is refused by name, and nothing of it runs", () => {
  test.each([
    ["whole-model.pth", '"torch.nn.modules.linear.Linear"'],
    ["namespace.pth", '"argparse.Namespace"'],
    ["system.pth", '"posix.system"'],
    ["system-older.pth", '"posix.system"'],
    ["complex.pth", '"torch.ComplexFloatStorage"'],
    ["list.pth", "holds no state_dict"],
    ["no-tensors.pth", 'its keys are "epoch", "names"'],
    ["script.pt", "is a TorchScript program"],
    ["values.json", "is no PyTorch file"],
  ])("%s: %s", (file, message) => {
    const read = () => readTorch(fixture(file));
    expect(read).toThrow(WeightsError);
    expect(read).toThrow(message);
  });
});
