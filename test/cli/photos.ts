/** @file Folders of photos: images of the synthetic source, in folders named after their classes. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDataset } from "../../src/datasets/open.ts";

/**
 * @param options.each images of a class; those of class c are numbered c, c + 4, c + 8, ...
 * @param options.part folder above an image's class
 */
export async function photoFolder(
  root: string,
  { each, part = () => "" }: { each: number; part?: (index: number) => string },
): Promise<string> {
  const dataset = await openDataset("synthetic", { size: 16, limit: each });
  for (const [i, label] of dataset.labels.entries()) {
    const folder = join(root, part(i), dataset.classes[label]!);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${String(i).padStart(3, "0")}.png`), await dataset.png(i));
  }
  dataset.close();
  return root;
}
