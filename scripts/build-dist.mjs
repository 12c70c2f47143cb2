// Compiles src/ to dist/, unless the dist/ that is there came from the same sources.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const stampFile = join(dist, ".stamp");
const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");

const sources = readdirSync(join(root, "src"), { recursive: true })
  .filter((name) => name.endsWith(".ts") && !/\.test\.ts$|(^|[\\/])test-[^\\/]*\.ts$/.test(name))
  .map((name) => join("src", name))
  .concat("tsconfig.json", "tsconfig.build.json", "package.json")
  .sort();
const hash = createHash("sha256");
for (const name of sources) hash.update(`${name}\0`).update(readFileSync(join(root, name)));
const stamp = hash.digest("hex");

if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) {
  console.log("lrscope: dist/ is up to date");
  process.exit(0);
}

// From nothing, so that a file whose source is gone goes too.
rmSync(dist, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
if (status !== 0) {
  console.error("lrscope: dist/ does not type-check; mend the errors above, then run this again");
  process.exit(1);
}
writeFileSync(stampFile, stamp);
console.log("lrscope: dist/ is built");
