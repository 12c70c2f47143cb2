/**
 * @file A file that crashes its decoder, or asks for more than it may, is one broken file by name; what
 * may pass is not kept; and no decoding process outlives whoever wanted its pixels.
 */

import { spawn, spawnSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataError, InterruptedError } from "../../src/core/errors.ts";
import { randomStream } from "../../src/core/random.ts";
import { decodeImages } from "../../src/datasets/decoding/decode.ts";
import { DECODE_LIMITS } from "../../src/datasets/decoding/decode-limits.ts";
import { openDecoder } from "../../src/datasets/decoding/isolated-decoder.ts";
import {
  asymmetric,
  jpeg,
  open,
  plain,
  png,
  rawImage,
  temporaryFolder,
  writeTree,
} from "./fixtures.ts";
import { childrenOf, isRunning, memoryOf, notLinux, until } from "./processes.ts";

const size = 16;
const bytes = size * size * 3;

const folder = mkdtempSync(join(tmpdir(), "lrscope-isolation-"));
const at = (name: string) => join(folder, name);
const small = ["a.png", "b.jpg", "c.webp", "d.png"].map(at);
/** Takes a second or more, and half a gigabyte: progressive, of which every coefficient is kept. */
const large = at("large.jpg");
/** MiB that only a process with the large file has: it takes more than 400 beyond the small ones. */
let enough = Number.POSITIVE_INFINITY;

beforeAll(async () => {
  const image = asymmetric(40, 30);
  writeTree(
    {
      "a.png": await png(image, 40, 30),
      "b.jpg": await jpeg(image, 40, 30),
      "c.webp": await rawImage(image, 40, 30).webp().toBuffer(),
      "d.png": await plain(90),
      "large.jpg": await sharp({
        create: { width: 8500, height: 8500, channels: 3, background: "#5a7" },
        limitInputPixels: false,
      })
        .jpeg({ progressive: true, chromaSubsampling: "4:4:4" })
        .toBuffer(),
    },
    folder,
  );
  if (notLinux) return;
  const decoder = openDecoder({ size, channels: 3, threads: 2, capacity: small.length });
  await decoder.decode(small);
  enough = 250 + Math.max(...childrenOf(process.pid).map(memoryOf));
  decoder.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface IsolatedOptions {
  readonly threads?: number;
  readonly limits?: typeof DECODE_LIMITS;
  readonly signal?: AbortSignal;
}

async function isolated(files: readonly string[], options: IsolatedOptions = {}) {
  const decoder = openDecoder({
    size,
    channels: 3,
    threads: options.threads ?? 2,
    capacity: files.length,
    ...options,
  });
  try {
    const { pixels, failures } = await decoder.decode(files);
    return {
      pixels: files.map((_, i) => Buffer.from(pixels.subarray(i * bytes, (i + 1) * bytes))),
      failures,
    };
  } finally {
    decoder.close();
  }
}

async function here(files: readonly string[]) {
  const pixels = new Uint8Array(files.length * bytes);
  const failures = await decodeImages(files, pixels, { size, channels: 3, threads: 1 });
  return {
    pixels: files.map((_, i) => Buffer.from(pixels.subarray(i * bytes, (i + 1) * bytes))),
    failures,
  };
}

/**
 * While `work` is under way, every process of its that has a large file before it gets `signal`, `times`
 * at most.
 */
async function strikeLarge<T>(
  work: () => Promise<T>,
  signal: NodeJS.Signals,
  times: number,
): Promise<T> {
  const struck = new Set<number>();
  const watch = setInterval(() => {
    for (const pid of childrenOf(process.pid))
      if (!struck.has(pid) && struck.size < times && memoryOf(pid) > enough) {
        struck.add(pid);
        process.kill(pid, signal);
      }
  }, 5);
  try {
    return await work();
  } finally {
    clearInterval(watch);
    expect(struck.size).toBeGreaterThan(0);
  }
}

describe("pixels and reasons are those of the decoders themselves", () => {
  test.each([1, 2, 4])("in any order, with %i threads", async (threads) => {
    const cut = writeTree({
      "cut.png": (await png(asymmetric(40, 30), 40, 30)).subarray(0, 300),
      "cut.webp": (await rawImage(asymmetric(40, 30), 40, 30).webp().toBuffer()).subarray(0, 60),
      "cut.jpg": (await jpeg(asymmetric(40, 30), 40, 30)).subarray(0, 340),
      "cut-2.jpg": (await jpeg(asymmetric(40, 30), 40, 30)).subarray(0, 120),
      "cut-3.jpg": (await jpeg(asymmetric(40, 30), 40, 30)).subarray(0, 700),
      "empty.gif": "",
      "text.tiff": "no picture",
    });
    const files = [...small, ...readdirSync(cut).map((name) => join(cut, name))];
    const alone = new Map<string, unknown>();
    for (const file of files) {
      const { pixels, failures } = await here([file]);
      alone.set(file, failures[0] ?? pixels[0]);
    }
    const decoder = openDecoder({ size, channels: 3, threads, capacity: files.length });
    try {
      for (let seed = 0; seed < 12; seed++) {
        const draw = randomStream(seed, "split");
        const order = files
          .map((file) => ({ file, key: draw.uniform() }))
          .sort((a, b) => a.key - b.key)
          .map(({ file }) => file);
        const { pixels, failures } = await decoder.decode(order);
        for (const [i, file] of order.entries())
          expect(
            failures[i] ?? Buffer.from(pixels.subarray(i * bytes, (i + 1) * bytes)),
            file,
          ).toEqual(alone.get(file));
      }
    } finally {
      decoder.close();
    }
  });
});

describe("limits name the file, and the others are decoded", () => {
  const others = async (files: readonly string[], options: IsolatedOptions = {}) => {
    const { pixels, failures } = await isolated([small[0]!, ...files, ...small.slice(1)], options);
    const expected = (await here(small)).pixels;
    expect([pixels[0], ...pixels.slice(1 + files.length)]).toEqual(expected);
    return failures.slice(1, 1 + files.length);
  };

  test("a side beyond what any photo has, in a file of some kilobytes", async () => {
    const chunk = (type: string, data: Buffer) => {
      const body = Buffer.concat([Buffer.from(type), data]);
      const frame = Buffer.alloc(8);
      frame.writeUInt32BE(data.length, 0);
      frame.writeUInt32BE(crc32(body), 4);
      return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
    };
    const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
    header.writeUInt32BE(20_000_000, 4);
    const tall = join(temporaryFolder(), "tall.png");
    writeFileSync(
      tall,
      Buffer.concat([
        Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
        chunk("IHDR", header),
        chunk("IDAT", deflateSync(Buffer.alloc(80_000_000))),
        chunk("IEND", Buffer.alloc(0)),
      ]),
    );
    expect(await others([tall])).toEqual([
      {
        kind: "broken",
        reason: "1 x 20000000 has a side above 65535 pixels, which is the limit",
      },
    ]);
  });

  test("processor time", async () => {
    const limits = { ...DECODE_LIMITS, processorSeconds: 0.4 };
    expect(await others([large], { limits })).toEqual([
      {
        kind: "limited",
        reason: "took more than 0.4 s of processor time to decode, which is the limit",
      },
    ]);
  });

  test.skipIf(notLinux)("memory", async () => {
    const limits = { ...DECODE_LIMITS, memory: 64 };
    expect(await others([large], { limits })).toEqual([
      { kind: "limited", reason: "needs more than 64 MiB to decode, which is the limit" },
    ]);
  });
});

describe.skipIf(notLinux)("a process that ends while it decodes", () => {
  const files = [small[0]!, large, ...small.slice(1)];

  test("once: every file is decoded all the same", async () => {
    const { pixels, failures } = await strikeLarge(() => isolated(files), "SIGSEGV", 1);
    expect(failures).toEqual(files.map(() => null));
    expect(pixels).toEqual((await here(files)).pixels);
  });

  test("of each attempt at one file: that one is broken, by name of the signal", async () => {
    const { pixels, failures } = await strikeLarge(() => isolated(files), "SIGSEGV", 99);
    expect(failures[1]).toEqual({ kind: "limited", reason: "crashes its decoder (SIGSEGV)" });
    expect(failures.filter((failure) => failure === null)).toHaveLength(small.length);
    expect(pixels.toSpliced(1, 1)).toEqual((await here(small)).pixels);
  });

  test("between two files: both lists are decoded", async () => {
    const decoder = openDecoder({ size, channels: 3, threads: 2, capacity: 8 });
    try {
      expect((await decoder.decode(small)).failures).toEqual(small.map(() => null));
      for (const pid of childrenOf(process.pid)) process.kill(pid, "SIGABRT");
      const [one, two] = await Promise.all([decoder.decode(small), decoder.decode(small)]);
      expect([one.failures, two.failures].flat()).toEqual([...small, ...small].map(() => null));
    } finally {
      decoder.close();
    }
  });
});

describe.skipIf(notLinux)("what may pass is not kept", () => {
  const source = () => {
    const root = temporaryFolder();
    writeTree({ "x/.keep": "", "y/.keep": "" }, root);
    for (const part of ["x", "y"])
      for (const [i, file] of small.entries()) symlinkSync(file, join(root, part, `${i}.jpg`));
    rmSync(join(root, "x/.keep"));
    rmSync(join(root, "y/.keep"));
    return root;
  };

  test("a process that the system ends each time fails the call, and the next one has the file", async () => {
    const root = source();
    symlinkSync(large, join(root, "x", "9.jpg"));
    const cacheDir = temporaryFolder();
    const failure = await strikeLarge(
      () => open(root, { size, cacheDir }).catch((error: Error) => error),
      "SIGKILL",
      99,
    );
    expect(failure).toBeInstanceOf(DataError);
    expect((failure as DataError).message).toMatch(
      /x\/9\.jpg: the process that decoded it was ended \(SIGKILL\).*run again/,
    );
    expect(readdirSync(join(cacheDir, "decoded"))).toEqual([]);
    const { record } = await open(root, { size, cacheDir });
    expect([record.images, record.broken]).toEqual([9, []]);
  });

  test("nor is a verdict of other limits and decoders believed", async () => {
    const root = source();
    symlinkSync(large, join(root, "x", "9.jpg"));
    const cacheDir = temporaryFolder();
    const first = await strikeLarge(() => open(root, { size, cacheDir }), "SIGSEGV", 99);
    expect(first.record.broken).toEqual([
      { file: "x/9.jpg", reason: "crashes its decoder (SIGSEGV)" },
    ]);
    first.close();
    // Decoded anew, the file would not be struck.
    expect((await open(root, { size, cacheDir })).record.broken).toEqual(first.record.broken);
    const [file] = readdirSync(join(cacheDir, "decoded"));
    const kept = readFileSync(join(cacheDir, "decoded", file!));
    const limit = kept.indexOf(`"under":"${DECODE_LIMITS.processorSeconds} s`);
    expect(limit).toBeGreaterThan(0);
    kept[limit + '"under":"'.length] = "9".charCodeAt(0);
    writeFileSync(join(cacheDir, "decoded", file!), kept);
    expect((await open(root, { size, cacheDir })).record.broken).toEqual([]);
  });

  test("a disk that cannot read a file fails the call, which names it", async () => {
    const root = source();
    // Opens as any other file does; then every read of its beginning ends with EIO.
    symlinkSync("/proc/self/mem", join(root, "y", "bad.jpg"));
    const cacheDir = temporaryFolder();
    await expect(open(root, { size, cacheDir })).rejects.toThrow(
      /y\/bad\.jpg: cannot be read: Input\/output error; this may pass/,
    );
  });

  test("a lack of memory leaves no file out", async () => {
    const root = source();
    symlinkSync(large, join(root, "x", "9.jpg"));
    const script = fileURLToPath(new URL("open-child.mjs", import.meta.url));
    // KiB of address space: from what Node itself hardly starts with to what is enough.
    for (const space of [1_200_000, 1_500_000, 2_500_000]) {
      const cacheDir = temporaryFolder();
      const command = `ulimit -v ${space}; exec "$0" "$@"`;
      const { stdout } = spawnSync("sh", [
        ...["-c", command, process.execPath, script, root, cacheDir, String(size)],
      ]);
      const text = stdout.toString();
      const outcome = text === "" ? null : JSON.parse(text);
      if (outcome?.exitCode === 0) expect([outcome.images, outcome.broken]).toEqual([9, []]);
      else if (outcome) expect(outcome.message).toMatch(/memory|cannot be started/);
      const { record } = await open(root, { size, cacheDir });
      expect([record.images, record.broken]).toEqual([9, []]);
    }
  });
});

describe.skipIf(notLinux)("nobody is left behind", () => {
  test("an abort ends the call and the process while it decodes", async () => {
    const stop = new AbortController();
    const work = isolated([large, ...small], { signal: stop.signal });
    work.catch(() => undefined);
    const pid = await until(() => childrenOf(process.pid).find((each) => memoryOf(each) > enough));
    stop.abort();
    await expect(work).rejects.toThrow(InterruptedError);
    await until(() => !isRunning(pid));
  });

  test("a parent that is killed takes its process with it", async () => {
    const root = temporaryFolder();
    writeTree({ "x/.keep": "", "y/.keep": "" }, root);
    for (const part of ["x", "y"]) symlinkSync(large, join(root, part, "large.jpg"));
    const script = fileURLToPath(new URL("open-child.mjs", import.meta.url));
    const parent = spawn(process.execPath, [script, root, temporaryFolder(), "16"]);
    const pid = await until(() => childrenOf(parent.pid!).find((each) => memoryOf(each) > enough));
    parent.kill("SIGKILL");
    await until(() => !isRunning(pid));
  });

  test("a decoder that is closed has no process", async () => {
    await isolated(small);
    await until(() => childrenOf(process.pid).length === 0);
  });
});
