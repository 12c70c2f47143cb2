// Gathers the compiled modules that processes load together into a few files: reading six hundred takes longer than
// running them. Every module stays where it was, as one that passes on what is its own, so that whoever imports one
// finds it, once.
import { readdirSync, readFileSync } from "node:fs";
import { posix, relative, sep } from "node:path";
import { build } from "rolldown";
import { parseAst } from "rolldown/parseAst";

const packages = Object.keys(
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).dependencies,
);

/** What `lrscope --help` loads: no more than it needs. */
const START = "cli/main.js";

/** In the order of their arrows; the first that fits a module takes it. Packages that only some commands load stay out. */
const GROUPS = {
  zod: /\/node_modules\/zod\//,
  rooms:
    /\/(core|schedules|ir|ops|layers|models|optimizers|program|compile|record|analysis|formats|data|arms|train|infer)\//,
  files: /\/(files|datasets|store)\//,
  report: /\/report\//,
  study: /\/study\/(?!(worker|runs|artefacts|stored)\/|executors\/(redis|slurm|wire)\/)/,
};

/** Processes begin by loading their module: in a file with others it would run wherever those are loaded. */
const IS_PROCESS = /-process\.js$/;

/** @param folder of compiled modules; those that differ when gathered are written again */
export async function gatherModules(folder) {
  const within = (id) => relative(folder, id).split(sep).join("/");
  const modules = readdirSync(folder, { recursive: true })
    .map((name) => name.split(sep).join("/"))
    .filter((name) => /\.js$/.test(name) && !/^(studies|web)\/|^browser\.js$/.test(name));
  const start = closureOf(folder, START);
  const pathOf = (id) => (within(id).startsWith("..") ? id : `/${within(id)}`);
  const groups = [
    { name: "start", test: (id) => start.has(within(id)) },
    ...Object.entries(GROUPS).map(([name, fits]) => ({
      name,
      test: (id) => fits.test(pathOf(id)) && !IS_PROCESS.test(id),
    })),
  ];
  await build({
    input: Object.fromEntries(modules.map((name) => [name.slice(0, -3), posix.join(folder, name)])),
    platform: "node",
    external: packages.filter((name) => name !== "zod").map((name) => new RegExp(`^${name}(/|$)`)),
    plugins: [ownAddress(within)],
    output: {
      dir: folder,
      format: "esm",
      minify: false,
      entryFileNames: "[name].js",
      chunkFileNames: "gathered/[name].js",
      codeSplitting: {
        groups: groups.map((group, i) => ({ ...group, priority: groups.length - i })),
      },
    },
    // Of what is loaded when it is needed much is gathered with what is loaded at once, on purpose.
    checks: { ineffectiveDynamicImport: false },
    logLevel: "warn",
  });
}

/** All that a module imports statically, and it. */
function closureOf(folder, first) {
  const found = new Set([first]);
  for (const name of found)
    for (const { source } of parseAst(readFileSync(posix.join(folder, name), "utf8")).body)
      if (source?.value.startsWith(".")) found.add(posix.join(posix.dirname(name), source.value));
  return found;
}

/** Where a module says where it lies, it means the file that it was, from which it finds others. */
function ownAddress(within) {
  return {
    name: "own-address",
    transform(code, id) {
      return code.includes("import.meta.url") && !within(id).startsWith("..")
        ? code.replaceAll("import.meta.url", `ADDRESS_OF("${within(id)}")`)
        : null;
    },
    renderChunk(code, { fileName }) {
      return code.includes("ADDRESS_OF(")
        ? code.replaceAll(/ADDRESS_OF\("([^"]+)"\)/g, (_, name) => {
            if (name === fileName) return "import.meta.url";
            const path = posix.relative(posix.dirname(fileName), name);
            return `new URL(${JSON.stringify(path)}, import.meta.url).href`;
          })
        : null;
    },
  };
}
