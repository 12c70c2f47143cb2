import sharp from "sharp";
import { expect, test } from "vitest";
import { drawSchedule } from "../../src/report/index.ts";
import { linearRamp } from "../../src/schedules/index.ts";
import { figurePng } from "../../src/study/artefacts/figure-pngs.ts";

test("a figure as PNG: twice its size, on its light paper, with its ink on it", async () => {
  const svg = await drawSchedule(linearRamp({ from: 0, to: 1, steps: 100 }), { updates: 100 });
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!.map(Number);
  const png = sharp(await figurePng(svg));
  const metadata = await png.metadata();
  expect([metadata.format, metadata.width, metadata.height]).toEqual([
    "png",
    2 * width!,
    2 * height!,
  ]);
  const { data, info } = await png.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  expect([...data.subarray(0, 3)]).toEqual([255, 255, 255]);
  // The line's blue, wherever it is not blended with the paper.
  let blue = 0;
  for (let i = 0; i < data.length; i += info.channels)
    if (data[i] === 0x1a && data[i + 1] === 0x5f && data[i + 2] === 0xd0) blue++;
  expect(blue).toBeGreaterThan(1000);
});
