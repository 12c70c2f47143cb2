/** @file Formats of images that the decoders do not have, told by how a file begins, so that a refusal names them. */

/** Those that are read, for messages. */
export const READ_FORMATS = "JPEG, PNG, WebP, GIF, TIFF, AVIF";

/** Of a file in ISO's base media format: brands that say that its pictures are coded as HEVC, and not as AV1. */
const HEIC = /^[\s\S]{4}ftyp(?!.*avi[fs])(hei[cxms]|hev[cxms]|mif1|msf1)/s;

/** How files begin, their bytes as Latin-1. */
const SIGNATURES: readonly (readonly [begins: string | RegExp, name: string])[] = [
  [/^P([1-6]\s+(#[^\n]*\s+)*\d|7\s+WIDTH)/, "Netpbm (PBM, PGM, PPM)"],
  [/^P[Ff]\s/, "PFM"],
  ["\0\0\0\x0cjP  ", "JPEG 2000"],
  ["\xff\x4f\xff\x51", "JPEG 2000"],
  ["\0\0\0\x0cJXL ", "JPEG XL"],
  ["\xff\x0a", "JPEG XL"],
  ["8BPS", "Photoshop (PSD)"],
  ["\0\0\x01\0", "ICO"],
  ["v/1\x01", "OpenEXR"],
  ["#?RADIANCE", "Radiance HDR"],
  ["#?RGBE", "Radiance HDR"],
];

/** Its name, or null where a file does not begin as one of them does. */
export function unreadFormat(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.subarray(0, 32)).toString("latin1");
  if (HEIC.test(start)) return "HEIC";
  // Two letters alone would be the beginning of a text.
  if (start.startsWith("BM") && start.slice(6, 10) === "\0\0\0\0") return "BMP";
  const found = SIGNATURES.find(([begins]) =>
    typeof begins === "string" ? start.startsWith(begins) : begins.test(start),
  );
  return found?.[1] ?? null;
}
