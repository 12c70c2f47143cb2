// Prints the addon's sources for binding.gyp, so that a new kernel needs no entry there.
import { readdirSync } from "node:fs";

const rooms = ["binding", "core", "engine", "images", "kernels", "optimizer"];
for (const room of rooms)
  for (const name of readdirSync(new URL(`${room}/`, import.meta.url), { recursive: true }).sort())
    if (name.endsWith(".cc")) console.log(`${room}/${name}`);
