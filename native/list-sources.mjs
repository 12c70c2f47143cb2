// Prints the addon's sources for binding.gyp, so that a new kernel needs no entry there: those of
// one part (binding, loops, avx512), or of all, in the order in which they are linked.
import { readdirSync } from "node:fs";

const isAvx512 = (file) => file.endsWith("/avx512.cc");
const inRoom = (room) =>
  readdirSync(new URL(`${room}/`, import.meta.url), { recursive: true })
    .filter((name) => name.endsWith(".cc"))
    .map((name) => `${room}/${name}`)
    .sort();
const loops = ["engine", "images", "kernels", "optimizer"].flatMap(inRoom);
const parts = {
  binding: inRoom("binding"),
  loops: loops.filter((file) => !isAvx512(file)),
  avx512: loops.filter(isAvx512),
};
const [part] = process.argv.slice(2);
for (const file of part ? parts[part] : Object.values(parts).flat()) console.log(file);
