/**
 * @file Image files to pixels: JPEG natively, what is left through sharp, with the same resampler
 * behind both. The format is told by the content, never by the name. Bytes of unknown origin meet
 * decoders in C and C++ here: it runs in a process of its own (decode-process.ts).
 */

import { readFile } from "node:fs/promises";
import { at } from "../../core/at.ts";
import { BROKEN, FAILED, LEFT_TO_OTHERS } from "../../engine/native/addon/images.ts";
import { loadAddon, type WorkingShape } from "../../engine/native/addon/index.ts";
import { pathOfName } from "../../files/file-names.ts";
import { MOST_PIXELS, MOST_SIDE } from "./decode-limits.ts";
import { READ_FORMATS, unreadFormat } from "./unread-formats.ts";

/** Drawings and documents have no pixels of their own. */
const notPhotos = new Set(["svg", "pdf", "magick"]);

/** What libvips calls samples of 8 and of 16 bits; of any other range nobody knows what is white. */
const READ_DEPTHS = new Set(["uchar", "ushort"]);

/** Why a file has no pixels. */
export interface DecodeFailure {
  /**
   * "broken": its bytes make it certain. "limited": it crashed the decoder, or went beyond a limit of
   * decode-limits.ts, alone. "memory": there was not enough; "passing": something else that may go
   * right another time, as a lack of descriptors or a bad disk.
   */
  readonly kind: "broken" | "limited" | "memory" | "passing";
  readonly reason: string;
}

/** What `states` says of each file. */
export const BEGUN = 1;
export const DONE = 2;

export interface DecodeOptions extends WorkingShape {
  readonly threads: number;
  /** (files) u8, written on the way: BEGUN, then DONE, for whoever watches. */
  readonly states?: Uint8Array;
}

/**
 * Decode files to the working shape, file i to pixels[i * size * size * channels] on: upright by
 * EXIF orientation, shorter side to `size` with antialiasing, centre crop, 8 bits, transparency
 * over white. Grayscale is repeated over three channels; colour becomes luma for one.
 *
 * Limits: 100 megapixels, 65,535 pixels a side, 1 GiB a file.
 * @returns null for each file that is decoded, else why it is not
 */
export async function decodeImages(
  files: readonly string[],
  pixels: Uint8Array,
  options: DecodeOptions,
): Promise<(DecodeFailure | null)[]> {
  const { states } = options;
  const { status, reasons } = await loadAddon().decodeFiles(
    files.map(pathOfName),
    pixels,
    options,
    states,
  );
  const result = reasons.map((reason, i): DecodeFailure | null =>
    status[i] === BROKEN
      ? { kind: "broken", reason }
      : status[i] === FAILED
        ? { kind: speaksOfMemory(reason) ? "memory" : "passing", reason }
        : null,
  );
  const bytes = options.size * options.size * options.channels;
  const decode = async (i: number) => {
    const file = at(files, i, "files");
    if (states) states[i] = BEGUN;
    const target = pixels.subarray(i * bytes, (i + 1) * bytes);
    result[i] = await decodeOther(file, target, options);
    if (states) states[i] = DONE;
  };
  const left = files.map((_, i) => i).filter((i) => status[i] === LEFT_TO_OTHERS);
  const workers = Math.min(options.threads, left.length);
  let next = 0;
  const worker = async () => {
    for (let i = left[next++]; i !== undefined; i = left[next++]) await decode(i);
  };
  await Promise.all(Array.from({ length: workers }, worker));
  // libvips keeps one text of errors for all of its threads: a reason may be another file's.
  if (workers > 1) for (const i of left) if (result[i] !== null) await decode(i);
  return result;
}

/** "ENOENT: no such file or directory, open '/...'" as C would say it, and without the path. */
export const unreadableText = ({ message }: Error): string => {
  const text = message
    .replace(/^E[A-Z]+: /, "")
    .replace(/, \w+( '.*)?$/s, "")
    .replace("i/o", "input/output");
  return `cannot be read: ${text.charAt(0).toUpperCase()}${text.slice(1)}`;
};

async function decodeOther(
  file: string,
  target: Uint8Array,
  shape: WorkingShape,
): Promise<DecodeFailure | null> {
  let bytes: Buffer;
  try {
    bytes = await readFile(pathOfName(file));
  } catch (error) {
    return { kind: "passing", reason: unreadableText(error as Error) };
  }
  try {
    const reason = await decodeBytes(bytes, target, shape);
    return reason === null ? null : { kind: "broken", reason };
  } catch (error) {
    return explain(error, bytes);
  }
}

/** @returns why the image is refused, or null once it is decoded */
async function decodeBytes(
  bytes: Buffer,
  target: Uint8Array,
  shape: WorkingShape,
): Promise<string | null> {
  // Loaded where it is needed: a process that meets nothing but JPEGs starts in half the time.
  const { default: sharp } = await import("sharp");
  const { format, width, height, space, channels, depth } = await sharp(bytes, {
    limitInputPixels: false,
  }).metadata();
  if (notPhotos.has(format)) return `${format} is not a format of photos`;
  if (width * height > MOST_PIXELS)
    return `${width} x ${height} is ${Math.round((width * height) / 1e6)} megapixels; the limit is 100`;
  if (Math.max(width, height) > MOST_SIDE)
    return `${width} x ${height} has a side above ${MOST_SIDE} pixels, which is the limit`;
  const strange = `has ${channels} channels, which is no form of gray, red-green-blue or CMYK with or without transparency`;
  if (channels > (space === "cmyk" ? 5 : 4)) return strange;
  if (!READ_DEPTHS.has(depth))
    return `has samples of type ${depth}, of which nobody knows which value is white; save it with 8 or 16 bits a channel`;
  const inks = space === "cmyk" && channels === 4;
  // libjpeg-turbo ignores colour profiles, so they are ignored here too.
  const image = sharp(bytes, {
    limitInputPixels: false,
    failOn: "truncated",
    ignoreIcc: space !== "cmyk" || inks,
  }).autoOrient();
  const { data: decoded, info } = await (inks
    ? image.pipelineColourspace("cmyk").toColourspace("cmyk")
    : image.flatten({ background: "#ffffff" }).toColourspace("srgb")
  )
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const data = inks && info.channels === 4 ? lightOfInks(decoded) : decoded;
  if (data === decoded && info.channels !== 1 && info.channels !== 3) return strange;
  await loadAddon().resampleImage(
    data,
    { width: info.width, height: info.height, channels: info.channels === 1 ? 1 : 3 },
    target,
    { size: shape.size, channels: shape.channels },
  );
  return null;
}

/**
 * Each ink takes its part of the light: R = 255 (1 - C) (1 - K), rounded; so PIL's convert("RGB"), and with it
 * torchvision. Shapes: (n, 4) u8, 255 being all of an ink -> (n, 3) u8.
 */
function lightOfInks(inks: Uint8Array): Uint8Array {
  const light = new Uint8Array((inks.length / 4) * 3);
  for (let i = 0, o = 0; i < inks.length; i += 4) {
    const white = 255 - (inks[i + 3] ?? 0);
    for (let ink = 0; ink < 3; ink++)
      light[o++] = white - Math.round(((inks[i + ink] ?? 0) * white) / 255);
  }
  return light;
}

/** Words of libjpeg, libpng, libvips, GLib, V8 and C++ where there is not enough. */
export const speaksOfMemory = (message: string) =>
  /out of memory|(insufficient|not enough|cannot allocate|could not allocate|unable to allocate) memory|memory allocation|failed to allocate|bad_alloc|allocation failed|error creating thread/i.test(
    message,
  );

function explain(error: unknown, bytes: Uint8Array): DecodeFailure {
  const message = error instanceof Error ? error.message : String(error);
  const line = message.replace(/\n.*$/s, "").replace(/^Input buffer\b/, "Input file");
  if (speaksOfMemory(message))
    return { kind: "memory", reason: `not enough memory to decode it: ${line}` };
  if (/too many open files|input\/output error|resource temporarily unavailable/i.test(message))
    return { kind: "passing", reason: `cannot be decoded now: ${line}` };
  const unread = unreadFormat(bytes);
  if (unread !== null)
    return {
      kind: "broken",
      reason: `${unread} is not a format that is read (${READ_FORMATS}); convert it to one of them`,
    };
  if (/unsupported image format|missing/i.test(message))
    return { kind: "broken", reason: `not an image in a format that is read (${READ_FORMATS})` };
  const cut = /premature|truncated|end of (stream|file)|eof/i.test(message);
  return { kind: "broken", reason: `${cut ? "cut short" : "cannot be decoded"}: ${line}` };
}
