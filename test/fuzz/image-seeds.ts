/** @file The valid images that mutations begin from: small, and of every kind that a format has. */

import sharp, { type Sharp } from "sharp";

export const FORMATS = ["jpeg", "png", "webp", "gif", "tiff"] as const;
export type Format = (typeof FORMATS)[number];

/** A picture with edges, gradients and some noise, so that every coefficient is met. */
function picture(width: number, height: number, channels: 1 | 3 | 4): Sharp {
  const pixels = Buffer.alloc(width * height * channels);
  for (let i = 0; i < pixels.length; i++) {
    const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    const edge = (x >> 3) + (y >> 2) + (i % channels);
    pixels[i] = 3 * x + 5 * y + (edge % 2) * 60 + ((i * 2654435761) >>> 27);
  }
  return sharp(pixels, { raw: { width, height, channels } });
}

/** Behind the start of image: a restart interval longer than the image, for mutations to shorten. */
function withRestartInterval(file: Buffer): Buffer {
  const interval = Buffer.from([0xff, 0xdd, 0, 4, 0xff, 0xff]);
  return Buffer.concat([file.subarray(0, 2), interval, file.subarray(2)]);
}

async function jpegs(): Promise<Buffer[]> {
  const files = [
    picture(48, 32, 3).jpeg({ quality: 30 }),
    picture(64, 48, 3).jpeg({ quality: 80 }),
    picture(33, 21, 3).jpeg({ quality: 100, chromaSubsampling: "4:4:4" }),
    picture(40, 56, 3).jpeg({ quality: 75, progressive: true }),
    picture(64, 64, 3).jpeg({ mozjpeg: true }),
    picture(37, 41, 1).toColourspace("b-w").jpeg({ quality: 70 }),
    picture(32, 32, 1).toColourspace("b-w").jpeg({ progressive: true }),
    picture(24, 40, 3).toColourspace("cmyk").jpeg({ quality: 80 }),
    picture(40, 24, 3).withMetadata({ orientation: 6 }).jpeg(),
    picture(30, 20, 3)
      .withExif({ IFD0: { Copyright: "x", ImageDescription: "seed" } })
      .jpeg(),
    picture(32, 24, 3).withIccProfile("p3").jpeg(),
    picture(160, 120, 3).jpeg({ quality: 60 }),
    picture(1, 1, 3).jpeg(),
  ];
  const encoded = await Promise.all(files.map((file) => file.toBuffer()));
  return [...encoded, withRestartInterval(encoded[1]!), withRestartInterval(encoded[3]!)];
}

async function animation(format: "webp" | "gif"): Promise<Buffer> {
  const { data } = await picture(24, 72, 3).raw().toBuffer({ resolveWithObject: true });
  const pages = sharp(data, { raw: { width: 24, height: 72, channels: 3, pageHeight: 24 } });
  return format === "gif" ? pages.gif().toBuffer() : pages.webp().toBuffer();
}

const others: Record<Exclude<Format, "jpeg">, () => Promise<Buffer>[]> = {
  png: () => [
    picture(48, 32, 3).png().toBuffer(),
    picture(31, 17, 4).png().toBuffer(),
    picture(32, 32, 1).toColourspace("b-w").png().toBuffer(),
    picture(40, 40, 3).png({ palette: true, colours: 16 }).toBuffer(),
    picture(33, 29, 3).png({ progressive: true }).toBuffer(),
    picture(24, 24, 3).toColourspace("rgb16").png().toBuffer(),
    picture(32, 24, 3).withIccProfile("p3").png().toBuffer(),
  ],
  webp: () => [
    picture(48, 32, 3).webp({ quality: 60 }).toBuffer(),
    picture(32, 32, 4).webp({ quality: 80 }).toBuffer(),
    picture(31, 33, 3).webp({ lossless: true }).toBuffer(),
    picture(40, 24, 3).withMetadata({ orientation: 8 }).webp().toBuffer(),
    animation("webp"),
  ],
  gif: () => [
    picture(48, 32, 3).gif().toBuffer(),
    picture(32, 32, 4).gif({ colours: 8 }).toBuffer(),
    picture(31, 19, 1).gif().toBuffer(),
    animation("gif"),
  ],
  tiff: () => [
    ...(["none", "lzw", "deflate", "packbits", "jpeg"] as const).map((compression) =>
      picture(40, 32, 3).tiff({ compression }).toBuffer(),
    ),
    picture(33, 31, 1).toColourspace("b-w").threshold().tiff({ bitdepth: 1 }).toBuffer(),
    picture(64, 64, 3).tiff({ tile: true, tileWidth: 32, tileHeight: 32 }).toBuffer(),
    picture(40, 40, 4).tiff({ compression: "lzw", predictor: "horizontal" }).toBuffer(),
    picture(24, 16, 3).withMetadata({ orientation: 3 }).tiff().toBuffer(),
  ],
};

/** Valid files of a format. */
export async function imageSeeds(format: Format): Promise<Buffer[]> {
  return format === "jpeg" ? jpegs() : Promise.all(others[format]());
}
