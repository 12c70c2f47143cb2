// Prints the addon's sources for binding.gyp, so that a new kernel needs no entry there.
import { readdirSync } from "node:fs";

for (const folder of [".", "kernels"])
  for (const name of readdirSync(new URL(`${folder}/`, import.meta.url)).sort())
    if (name.endsWith(".cc")) console.log(folder === "." ? name : `${folder}/${name}`);
