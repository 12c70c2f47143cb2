/** @file The weights of a trial as they come from a worker and lie in the run directory: never whole in memory. */

import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { withCleanupLater } from "../../../core/cleanup.ts";
import { withFile } from "../../../files/open-weights.ts";
import { checkSealOf } from "../../../files/seal.ts";
import { type ByteSource, safetensorsLayout } from "../../../formats/index.ts";
import type { Plan } from "../../../record/index.ts";
import { digestOfFile, type WeightsOnDisk, writeFailure } from "../../../store/index.ts";
import { Refusal } from "./refusal.ts";

export const BEST = "best.safetensors";

/** Bytes of a file of weights at most: parameters with three states of an optimizer, and what is said of them. */
export const mostWeights = ({ memory }: Pick<Plan, "memory">): number =>
  4 * memory.persistentBytes + 2 ** 26;

/** As a worker is told of a file: its size, and by what it is checked. */
export const describeFile = ({ path, sha256 }: WeightsOnDisk) => ({
  bytes: statSync(path).size,
  sha256,
});

/** The same of a file whose checksum stands nowhere. */
export const describeBest = (path: string) =>
  describeFile({ path, sha256: digestOfFile(path) ?? "" });

/**
 * Writes weights to a new file while they come; what ends early leaves none.
 * @throws StoreError where the disk fails; whatever `bytes` throws
 */
export async function keepSent(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
): Promise<WeightsOnDisk> {
  const failed = (error: unknown) => writeFailure(path, error, "what was recorded before is kept");
  const onDisk = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error) => {
      throw failed(error);
    });
  const hash = createHash("sha256");
  try {
    const handle = await onDisk(open(path, "wx"));
    await withCleanupLater(
      async () => {
        for await (const part of bytes) {
          hash.update(part);
          await onDisk(handle.writeFile(part));
        }
        await onDisk(handle.sync());
      },
      () => onDisk(handle.close()),
    );
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
  return { path, sha256: hash.digest("hex") };
}

/**
 * @param which weights that stand alone have a seal; a checkpoint has its checksum beside it
 * @throws Refusal where they are no file of weights, or not as they were sealed
 */
export function checkSent(
  { path }: WeightsOnDisk,
  { key, which }: { readonly key: string; readonly which: "sealed" | "checkpoint" },
): void {
  const check = (source: ByteSource) => {
    const named = { ...source, name: `weights of ${key}` };
    if (which === "sealed") checkSealOf(named);
    else safetensorsLayout(named);
  };
  try {
    withFile(path, check);
  } catch (error) {
    throw new Refusal("malformed", (error as Error).message);
  }
}
