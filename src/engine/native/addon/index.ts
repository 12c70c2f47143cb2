/** @file Loads the native module, and says what to do when it is absent. */

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { AddonError } from "../../../core/errors.ts";
import type { BandwidthAddon } from "./bandwidth.ts";
import type { EngineAddon } from "./engine.ts";
import type { ImagesAddon } from "./images.ts";
import type { IsolationAddon } from "./isolation.ts";

export type * from "./bandwidth.ts";
export type * from "./engine.ts";
export type * from "./images.ts";
export type * from "./isolation.ts";

/** Everything that the native module exports: the files of native/binding/. */
export type Addon = EngineAddon & ImagesAddon & IsolationAddon & BandwidthAddon;

let loaded: Addon | undefined;

/**
 * The native module, loaded on first use from native/build/Release/ of the package (or from the
 * file that the environment variable LRSCOPE_ADDON names, as the sanitizer tests do).
 * @throws AddonError when it is absent or cannot run here; the message says what to install
 */
export function loadAddon(): Addon {
  if (loaded) return loaded;
  // Both src/engine/native/addon/ and its twin in dist/ lie four folders below the package's root.
  const file =
    process.env.LRSCOPE_ADDON ??
    fileURLToPath(new URL("../../../../native/build/Release/lrscope.node", import.meta.url));
  shareCores();
  try {
    loaded = createRequire(import.meta.url)(file) as Addon;
  } catch (cause) {
    throw new AddonError(explainFailure(cause), { cause });
  }
  return loaded;
}

/**
 * How long an OpenMP thread spins before it sleeps. On a machine whose cores are shared, a spinning
 * thread can keep the one that it waits for from running; GNU's default of 300,000 rounds then costs
 * a fifth of a large step, and several times a small one (docs/decisions/0012). These rounds are some
 * tens of microseconds, enough to go from one parallel region to the next. Read by libgomp when it is
 * loaded, with the addon.
 */
function shareCores(): void {
  const { env } = process;
  if (env.OMP_WAIT_POLICY === undefined) env.GOMP_SPINCOUNT ??= "10000";
}

function explainFailure(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message.split("\n")[0]! : String(cause);
  const absent = (cause as { code?: string }).code === "MODULE_NOT_FOUND";
  // What glibc says of a library that the process's address space has no room for.
  if (/failed to map segment|cannot allocate memory/i.test(reason))
    return `native engine: there is no memory to load it (${reason}); end what else runs, or raise the limit of this process (ulimit -v)`;
  return `native engine: ${absent ? "it is not built" : `it cannot be loaded (${reason})`}. It needs a compiler, oneDNN and libjpeg-turbo:
  Debian, Ubuntu:  sudo apt-get install g++ make python3 libdnnl-dev libturbojpeg0-dev
  macOS:           brew install onednn jpeg-turbo libomp
  then:            npm rebuild lrscope   (in a clone: npm run build:addon)`;
}
