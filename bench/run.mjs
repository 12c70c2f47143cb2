// Measures what docs/performance.md shows, one JSON file a claim in bench/results/, then writes the
// page's tables and figure from them.
//   node bench/run.mjs                 what is not there yet
//   node bench/run.mjs NAME...         these, again
//   node bench/run.mjs --all           everything, again
//   node bench/run.mjs --list          the names
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const cli = fileURLToPath(new URL("bin/lrscope.js", root));
const jiti = fileURLToPath(new URL("node_modules/jiti/lib/jiti-cli.mjs", root));
const results = new URL("results/", import.meta.url);
const threads = Math.min(2, availableParallelism());

const step =
  (model, size, batch, repetitions, ...more) =>
  () =>
    lrscope(
      "bench",
      "step",
      "--model",
      model,
      "--size",
      size,
      "--batch",
      batch,
      "--repetitions",
      repetitions,
      "--threads",
      threads,
      ...more,
    );

const study = (model, size, images, epochs) => () =>
  lrscope(
    ...["bench", "study", "--model", model, "--size", size, "--images", images],
    ...["--epochs", epochs, "--repetitions", 3, "--threads", threads],
  );

const claims = {
  startup: measureStartup,
  "step-vanilla": step("vanilla", 128, 64, 15),
  "step-vanilla-tuned": step(
    "vanilla",
    128,
    64,
    15,
    "--tune-convolutions",
    "--no-peers",
    "--no-limit",
  ),
  // Those of bf16 are refused on a processor without it.
  "step-vanilla-bf16": step("vanilla", 128, 64, 15, "--precision", "bf16"),
  "step-resnet34-64": step("resnet34", 64, 128, 5),
  "step-resnet34-224": step("resnet34", 224, 16, 5),
  "step-resnet34-224-bf16": step("resnet34", 224, 16, 5, "--precision", "bf16"),
  // The network of flowers-2019: 100,352 features into 512, 51.5 million parameters.
  "step-publication": step("vanilla", 224, 64, 5, "--widths", "32,64,128"),
  "step-publication-bf16": step(
    "vanilla",
    224,
    64,
    5,
    ...["--widths", "32,64,128", "--precision", "bf16"],
  ),
  "step-tfjs": measureTfjs,
  "step-jax": measureJax,
  transfer: () =>
    lrscope(
      "bench",
      "transfer",
      "--model",
      "resnet34",
      "--size",
      224,
      "--batch",
      32,
      "--repetitions",
      7,
      "--threads",
      threads,
    ),
  epoch: () => lrscope("bench", "epoch", "--images", 640, "--repetitions", 3, "--threads", threads),
  optimizer: () => lrscope("bench", "optimizer", "--threads", threads),
  data: () => lrscope("bench", "data", "--threads", threads),
  "study-vanilla-32": study("vanilla", 32, 640, 4),
  "study-vanilla-128": study("vanilla", 128, 640, 2),
  "study-resnet34-64": study("resnet34", 64, 320, 2),
  // In Chromium; refused where there is none.
  paint: () => jsonOf([jiti, fileURLToPath(new URL("paint.ts", import.meta.url))]),
  growth: () =>
    lrscope("bench", "step", "--grow", "--into", fileURLToPath(new URL("growth.part", results))),
};

const all = process.argv.includes("--all");
const wanted = process.argv.slice(2).filter((word) => word !== "--all");
if (wanted.includes("--list")) {
  console.log(Object.keys(claims).join("\n"));
  process.exit(0);
}
const unknown = wanted.filter((name) => !(name in claims));
if (unknown.length > 0) {
  console.error(
    `bench: unknown: ${unknown.join(", ")}; there is: ${Object.keys(claims).join(", ")}`,
  );
  process.exit(2);
}
mkdirSync(results, { recursive: true });
makePeers();
for (const [name, measure] of Object.entries(claims)) {
  const file = new URL(`${name}.json`, results);
  if (wanted.length > 0 ? !wanted.includes(name) : existsSync(file) && !all) continue;
  console.error(`bench: ${name}`);
  let record;
  try {
    record = await measure();
  } catch (cause) {
    // Exit code 2: the command line refused, and said why.
    if (!/ended with 2$/.test(cause.message)) throw cause;
    console.error(`bench: ${name}: not on this machine`);
    continue;
  }
  const temporary = new URL(`${name}.tmp`, results);
  writeFileSync(temporary, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(temporary, file);
}
await import("./write-performance.mjs");

/** The Python that lrscope is measured beside, once; without it, whatever PyTorch there is. */
function makePeers() {
  const script = fileURLToPath(new URL("scripts/bench-peers", root));
  const { status } = spawnSync("bash", [script], { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) console.error("bench: bench/.venv cannot be made; going on without it");
}

/** What a call of the command line prints with --json; stderr is shown. */
function lrscope(...words) {
  return jsonOf([cli, ...words, "--json"]);
}

/** The last line that a script of Node's prints. */
function jsonOf(words) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words.map(String), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (part) => {
      text += part;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(text.trim().split("\n").at(-1)));
      else reject(new Error(`${words.join(" ")} ended with ${code}`));
    });
  });
}

/** Milliseconds of a whole process of Node's, from its start to its end. */
function wallTime(...words) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, words, { stdio: "ignore" });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(performance.now() - started) : reject(new Error(`ended with ${code}`)),
    );
  });
}

async function measureStartup() {
  const calls = { node: ["-e", "0"], help: [cli, "--help"] };
  const times = { node: [], help: [] };
  for (let i = 0; i < 11; i++)
    for (const [name, words] of Object.entries(calls)) times[name].push(await wallTime(...words));
  const ofName = (name) => {
    const sorted = times[name].sort((a, b) => a - b);
    return { minMs: sorted[0], medianMs: sorted[5], maxMs: sorted[10] };
  };
  const load = {};
  for (const [model, size, batch] of [
    ["vanilla", 128, 64],
    ["resnet34", 224, 16],
  ]) {
    const more = ["--no-peers", "--no-limit", "--repetitions", 1, "--threads", threads];
    const { loadMs } = await lrscope(
      "bench",
      "step",
      "--model",
      model,
      "--size",
      size,
      "--batch",
      batch,
      ...more,
    );
    load[model] = { size, batch, loadMs };
  }
  return { node: ofName("node"), help: ofName("help"), load, processor: cpus()[0]?.model.trim() };
}

/**
 * TensorFlow.js, where the checkout has it. It takes seconds for what takes us milliseconds, so the images
 * are few and small, and the two follow one another instead of taking turns.
 */
async function measureTfjs() {
  const [batch, size, steps] = [2, 32, 3];
  const script = fileURLToPath(new URL("peers/tfjs_step.mjs", import.meta.url));
  const peer = await jsonOf([script, batch, size, steps]);
  const more = ["--no-peers", "--no-limit", "--repetitions", 25, "--threads", threads];
  const own = await lrscope("bench", "step", "--size", size, "--batch", batch, ...more);
  const sorted = [...peer.ms].sort((a, b) => a - b);
  const [minMs, medianMs, maxMs] = [sorted[0], sorted[Math.floor(steps / 2)], sorted[steps - 1]];
  const ratio = medianMs / own.medianMs;
  return { ...own, peers: [{ name: peer.name, minMs, medianMs, maxMs, ratio }] };
}

/**
 * JAX compiles a step once and then takes seconds for it: our steps follow its own, and its first two, which compile
 * and fill caches, do not count.
 */
async function measureJax() {
  const cases = [];
  for (const [size, widths, steps] of [
    [128, "32,64,128,128", 5],
    [224, "32,64,128", 3],
  ]) {
    const flags = ["--batch", 64, "--size", size, "--threads", threads, "--widths", widths];
    const peer = jaxSteps(flags, steps);
    const more = ["--no-peers", "--no-limit", "--repetitions", 11];
    const own = await lrscope("bench", "step", ...flags, ...more);
    const ms = peer.ms.sort((a, b) => a - b);
    const [minMs, medianMs, maxMs] = [ms[0], ms[Math.floor(steps / 2)], ms[steps - 1]];
    const ratio = medianMs / own.medianMs;
    cases.push({ ...own, peers: [{ name: peer.name, minMs, medianMs, maxMs, ratio }] });
  }
  return { cases };
}

/** Name and milliseconds of so many steps, after two that do not count. */
function jaxSteps(flags, steps) {
  const python = fileURLToPath(new URL(".venv/bin/python", import.meta.url));
  const script = fileURLToPath(new URL("peers/jax_step.py", import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [script, ...flags.map(String)], {
    input: `run 2\nrun ${steps}\n`,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`jax_step.py ended with ${status}: ${stderr?.slice(-500)}`);
  const [ready, , counted] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { name: ready.name, parameters: ready.parameters, ms: counted.ms };
}
