// Builds native/ with node-gyp, unless the build that is there came from the same sources.
// --optional: a machine without compiler or oneDNN is told what is missing, and the exit code is 0.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const native = join(root, "native");
const optional = process.argv.includes("--optional");
const stampFile = join(native, "addon.stamp");
const binary = join(native, "build", "Release", "lrscope.node");

const sources = readdirSync(native, { recursive: true })
  .filter((name) => /\.(cc|h|gyp|mjs)$/.test(name) && !/^(build|fuzz)/.test(name))
  .map((name) => join(native, name));
const hash = createHash("sha256").update(`${process.version} ${process.arch}`);
for (const file of sources.sort())
  hash.update(file.slice(native.length)).update(readFileSync(file));
const stamp = hash.digest("hex");

if (existsSync(binary) && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) {
  console.log("lrscope: the addon is up to date");
  process.exit(0);
}

/** npm brings a node-gyp of its own, and names it to the scripts that it runs. */
function findNodeGyp() {
  if (process.env.npm_config_node_gyp) return process.env.npm_config_node_gyp;
  const npm = spawnSync("npm", ["root", "-g"], { encoding: "utf8" }).stdout?.trim() ?? "";
  const candidate = join(npm, "npm", "node_modules", "node-gyp", "bin", "node-gyp.js");
  if (existsSync(candidate)) return candidate;
  try {
    return createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");
  } catch {
    return null;
  }
}

/** Headers that came with the running Node spare node-gyp a download. */
function headersBesideNode() {
  const prefix = resolve(dirname(process.execPath), "..");
  return existsSync(join(prefix, "include", "node", "node_api.h")) ? prefix : null;
}

const gyp = findNodeGyp();
const headers = headersBesideNode();
const result = gyp
  ? spawnSync(
      process.execPath,
      // Unlike "rebuild", this compiles only what changed since the last build.
      [
        gyp,
        "configure",
        "build",
        "--directory",
        native,
        "-j",
        "max",
        ...(headers ? [`--nodedir=${headers}`] : []),
      ],
      { stdio: optional ? ["ignore", "ignore", "pipe"] : "inherit", encoding: "utf8" },
    )
  : { status: 1, stderr: "node-gyp was not found" };

if (result.status === 0 && existsSync(binary)) {
  writeFileSync(stampFile, stamp);
  console.log("lrscope: the addon is built");
} else {
  const lines = (result.stderr ?? "").split("\n");
  const reason = lines.find((line) => /error|not found/i.test(line));
  console.error(
    `lrscope: the native engine was not built${reason ? ` (${reason.trim()})` : ""}.
  Schedules, analysis and reports work without it; training does not.
  Debian, Ubuntu:  sudo apt-get install g++ make python3 libdnnl-dev libturbojpeg0-dev
  macOS:           brew install onednn jpeg-turbo libomp
  then:            npm rebuild lrscope   (in a clone: npm run build:addon)`,
  );
  process.exit(optional ? 0 : 1);
}
