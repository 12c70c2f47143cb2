// Compiles src/ to dist/, studies/ to dist/studies/, what a browser needs to the one module dist/browser.js, and web/
// to the files of dist/web/, and gathers modules that are loaded together;
// unless the dist/ that is there came from the same sources. With --quick types are taken off and not checked,
// and there are no declarations: enough for tests that start processes.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "rolldown";
import { transformSync } from "rolldown/utils";
import { gatherModules } from "./gather-modules.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const stampFile = join(dist, ".stamp");
const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");

const sources = ["src", "studies"]
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
  )
  .filter((name) => name.endsWith(".ts") && !/\.test\.ts$|(^|[\\/])test-[^\\/]*\.ts$/.test(name))
  .concat("tsconfig.json", "tsconfig.build.json", "tsconfig.studies.json")
  .concat("package.json", "scripts/build-dist.mjs", "scripts/gather-modules.mjs")
  .concat(readdirSync(join(root, "web"), { recursive: true }).map((name) => join("web", name)))
  .filter((name) => /\.\w+$/.test(name))
  .sort();
const hash = createHash("sha256");
for (const name of sources) hash.update(`${name}\0`).update(readFileSync(join(root, name)));
const whole = hash.digest("hex");
const quick = process.argv.includes("--quick");
const stamp = quick ? `${whole} without declarations` : whole;

if (existsSync(stampFile) && [stamp, whole].includes(readFileSync(stampFile, "utf8"))) {
  console.log("lrscope: dist/ is up to date");
  process.exit(0);
}

// From nothing, so that a file whose source is gone goes too; and beside the old one, which whoever is
// running it keeps until the new one is whole.
const fresh = `${dist}-${process.pid}`;
const old = `${dist}-${process.pid}-old`;
const compiled = (project, outDir) =>
  spawnSync(process.execPath, [compiler, "-p", project, "--outDir", outDir], {
    cwd: root,
    stdio: "inherit",
  }).status === 0;

/** Against the declarations of the dist/ that it will lie in, as a study of somebody else's would be. */
function compileStudies() {
  const project = join(fresh, "tsconfig.json");
  const paths = { lrscope: ["./index.d.ts"], "lrscope/*": ["./*/index.d.ts"] };
  writeFileSync(
    project,
    JSON.stringify({ extends: "../tsconfig.studies.json", compilerOptions: { paths } }),
  );
  const done = compiled(project, join(fresh, "studies"));
  rmSync(project);
  return done;
}

/** What the parser makes of a template with "</script>" in it imports this from a package that nobody needs. */
const HELPER = /^import (\w+) from "@oxc-project\/runtime\/helpers\/taggedTemplateLiteral";$/m;
const asTemplate =
  "const $1 = (strings, raw = strings) => Object.defineProperty(strings, 'raw', { value: raw });";

/** @returns false, with what the parser said, where a file is no TypeScript */
function withoutTypes() {
  for (const name of sources.filter((each) => /^(src|studies)[\\/].*(?<!\.d)\.ts$/.test(each))) {
    const { code, errors } = transformSync(name, readFileSync(join(root, name), "utf8"), {
      target: "es2022",
      typescript: { onlyRemoveTypeImports: true, rewriteImportExtensions: "rewrite" },
    });
    if (errors.length > 0) {
      console.error(`${name}: ${errors[0].message}`);
      return false;
    }
    const target = join(fresh, name.replace(/^src[\\/]/, "").replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code.replace(HELPER, asTemplate));
  }
  return true;
}

if (!(quick ? withoutTypes() : compiled("tsconfig.build.json", fresh) && compileStudies())) {
  rmSync(fresh, { recursive: true, force: true });
  console.error("lrscope: dist/ does not type-check; mend the errors above, then run this again");
  process.exit(1);
}

// One file, packages and all, for a page that has no bundler: <script type="module"> imports it as it is. Names
// and texts of functions stay, as the report's page carries some of them.
await build({
  input: join(fresh, "browser.js"),
  platform: "browser",
  output: { file: join(fresh, "browser.js"), format: "esm", minify: false },
  logLevel: "warn",
});

// The live page: what opens it in one file, each further page in another, a figure alone in a third, and one style sheet:
// the report's, and its own.
const client = await build({
  input: { client: join(root, "web", "main.ts"), figure: join(root, "web", "figure.ts") },
  platform: "browser",
  output: {
    dir: join(fresh, "web"),
    format: "esm",
    minify: true,
    entryFileNames: "[name].js",
    chunkFileNames: "client-[name].js",
  },
  logLevel: "warn",
});
const { styleSheet } = await import(pathToFileURL(join(fresh, "report", "style.js")).href);
const ownStyle = readFileSync(join(root, "web", "client.css"), "utf8");
writeFileSync(join(fresh, "web", "client.css"), `${styleSheet}\n${ownStyle}`);

/** Files that one imports, and those that they import. */
function importsOf(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const other of client.output.find(({ fileName }) => fileName === name)?.imports ?? [])
    importsOf(other, found);
  return found;
}
// Told one after the other, each by the one before, they would take three journeys before a study is drawn.
const names = new Set([...importsOf("client.js"), ...importsOf("client-study.js")]);
const ahead = [...names].map((name) => `<link rel="modulepreload" href="/${name}">\n`).join("");
const page = readFileSync(join(root, "web", "index.html"), "utf8");
const script = '<script type="module"';
writeFileSync(join(fresh, "web", "index.html"), page.replace(script, `${ahead}${script}`));
copyFileSync(join(root, "web", "figure.html"), join(fresh, "web", "figure.html"));

await gatherModules(fresh);

writeFileSync(join(fresh, ".stamp"), stamp);
if (existsSync(dist)) renameSync(dist, old);
renameSync(fresh, dist);
rmSync(old, { recursive: true, force: true });
console.log("lrscope: dist/ is built");
