/**
 * @file Image files to pixels: JPEG natively, what is left through sharp, with the same resampler
 * behind both. The format is told by the content, never by the name.
 */

import { BROKEN, LEFT_TO_OTHERS } from "../addon/images.ts";
import { loadAddon, type WorkingShape } from "../addon/index.ts";

/** Above this many pixels a file is refused, before anything is decoded. */
const mostPixels = 100e6;

/** Drawings and documents have no pixels of their own. */
const notPhotos = new Set(["svg", "pdf", "magick"]);

/**
 * Decode files to the working shape, file i to pixels[i * size * size * channels] on: upright by
 * EXIF orientation, shorter side to `size` with antialiasing, centre crop, 8 bits, transparency
 * over white. Grayscale is repeated over three channels; colour becomes luma for one.
 * @returns null for each file that is decoded, else why it is broken
 */
export async function decodeImages(
  files: readonly string[],
  pixels: Uint8Array,
  options: WorkingShape & { readonly threads: number },
): Promise<(string | null)[]> {
  const { status, reasons } = await loadAddon().decodeFiles(files, pixels, options);
  const result = reasons.map((reason, i) => (status[i] === BROKEN ? reason : null));
  const bytes = options.size * options.size * options.channels;
  const left = files.map((_, i) => i).filter((i) => status[i] === LEFT_TO_OTHERS);
  let next = 0;
  const worker = async () => {
    for (let i = left[next++]; i !== undefined; i = left[next++])
      result[i] = await decodeOther(
        files[i]!,
        pixels.subarray(i * bytes, (i + 1) * bytes),
        options,
      );
  };
  await Promise.all(Array.from({ length: Math.min(options.threads, left.length) }, worker));
  return result;
}

async function decodeOther(
  file: string,
  target: Uint8Array,
  shape: WorkingShape,
): Promise<string | null> {
  // Loaded where it is needed: a process that finds the images decoded starts in half the time.
  const { default: sharp } = await import("sharp");
  try {
    const { format, width, height, space } = await sharp(file, {
      limitInputPixels: false,
    }).metadata();
    if (notPhotos.has(format)) return `${format} is not a format of photos`;
    if (width * height > mostPixels)
      return `${width} x ${height} is ${Math.round((width * height) / 1e6)} megapixels; the limit is 100`;
    // libjpeg-turbo ignores colour profiles, so they are ignored here too; but CMYK needs one.
    const image = sharp(file, {
      limitInputPixels: false,
      failOn: "truncated",
      ignoreIcc: space !== "cmyk",
    });
    const { data, info } = await image
      .autoOrient()
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    await loadAddon().resampleImage(
      data,
      { width: info.width, height: info.height, channels: info.channels },
      target,
      { size: shape.size, channels: shape.channels },
    );
    return null;
  } catch (error) {
    return explain(error, file);
  }
}

function explain(error: unknown, file: string): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/unsupported image format|missing/i.test(message))
    return "not an image in a format that can be read";
  const line = message
    .split("\n")[0]!
    .replaceAll(file, "")
    .replace(/^[\s:]+/, "");
  return /premature|truncated|end of (stream|file)|eof/i.test(message)
    ? `cut short: ${line}`
    : `cannot be decoded: ${line}`;
}
