// Prints the addon's sources for binding.gyp, so that a new kernel needs no entry there: those of
// one part (binding, loops, avx512), or of all, in the order in which they are linked.
import { readdirSync } from "node:fs";

const AVX512 = "kernels/winograd/avx512.cc";
const inRoom = (room) =>
  readdirSync(new URL(`${room}/`, import.meta.url), { recursive: true })
    .filter((name) => name.endsWith(".cc"))
    .map((name) => `${room}/${name}`)
    .sort();
const parts = {
  binding: inRoom("binding"),
  loops: ["engine", "images", "kernels", "optimizer"]
    .flatMap(inRoom)
    .filter((file) => file !== AVX512),
  avx512: [AVX512],
};
const [part] = process.argv.slice(2);
for (const file of part ? parts[part] : Object.values(parts).flat()) console.log(file);
