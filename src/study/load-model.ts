/** @file `--model`: a name of the collection, or a file of the user's own that builds a network. */

import { basename } from "node:path";
import { ArgumentError } from "../core/errors.ts";
import type { Network } from "../ir/index.ts";
import { importFile } from "./own-code/import-file.ts";

export interface ModelShape {
  readonly classes: number;
  readonly channels: number;
  /** Pixels of the square images. */
  readonly size: number;
}

/** Builds a network for a data set; called again where sizes become known. */
export type ModelBuilder = (shape: ModelShape) => Network;

/** Whether `--model` names a file. */
export const isModelFile = (model: string): boolean => /[/\\]|\.[cm]?[jt]s$/.test(model);

/**
 * The builder that `--model` means. A file exports it as `network` or as its default:
 *
 *   export const network = ({ classes, channels, size }) => layers.network({ ... });
 *
 * TypeScript is compiled on the fly, and `import ... from "lrscope"` finds this lrscope.
 * @throws ArgumentError for an unknown name (with the nearest), a missing file, one that cannot be
 * run, or one that exports no such function
 */
export async function loadModel(
  model: string,
  options: { widths?: readonly number[]; hidden?: number } = {},
): Promise<ModelBuilder> {
  if (!isModelFile(model)) {
    const { checkModelName, createModel } = await import("../models/index.ts");
    checkModelName(model);
    return (shape) => createModel(model, { ...shape, ...options });
  }
  const subject = `--model ${model}`;
  const exported = await importFile(model, {
    subject,
    wanted: 'a name such as vanilla, or a .ts or .js file that exports "network"',
  });
  const build = exported.network ?? exported.default;
  if (typeof build !== "function")
    throw new ArgumentError(
      `${subject}: must export a function "network" ({ classes, channels, size }) => Network; it exports ${Object.keys(exported).join(", ") || "nothing"}`,
    );
  return (shape) => checkNetwork(build(shape), subject, model);
}

function checkNetwork(value: unknown, subject: string, model: string): Network {
  const network = value as Partial<Network> | null | undefined;
  if (typeof network?.build !== "function" || !Array.isArray(network.inputShape))
    throw new ArgumentError(
      `${subject}: "network" must return what layers.network(...) makes; got ${value === null ? "null" : typeof value}`,
    );
  return { ...(network as Network), name: network.name || basename(model) };
}
