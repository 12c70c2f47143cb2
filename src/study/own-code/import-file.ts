/** @file A file of the user's own code, run in this process. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ArgumentError, LrscopeError } from "../../core/errors.ts";

/**
 * What it exports. TypeScript is compiled on the fly, and `import ... from "lrscope"` finds this lrscope.
 * @param subject "--model ./net.ts"
 * @param wanted what there may be in its place: "a name such as vanilla, or a .ts or .js file that exports ..."
 * @throws ArgumentError for a missing file, or one that cannot be run
 */
export async function importFile(
  path: string,
  { subject, wanted }: { readonly subject: string; readonly wanted: string },
): Promise<Record<string, unknown>> {
  const file = resolve(path);
  if (!existsSync(file))
    throw new ArgumentError(`${subject}: there is no such file; give ${wanted}`);
  const { createJiti } = await import("jiti");
  // This copy of the library, loaded already: jiti would compile all of it again.
  const inside = async (entry: string) => {
    const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
    return import(new URL(`../../${entry}.${ending}`, import.meta.url).href);
  };
  const virtualModules = {
    lrscope: await inside("index"),
    "lrscope/schedules": await inside("schedules/index"),
    "lrscope/optimizers": await inside("optimizers/index"),
  };
  const jiti = createJiti(import.meta.url, { virtualModules, fsCache: false, moduleCache: false });
  try {
    return await jiti.import(file);
  } catch (error) {
    if (error instanceof LrscopeError) throw error;
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new ArgumentError(`${subject}: the file cannot be run: ${reason}`);
  }
}
