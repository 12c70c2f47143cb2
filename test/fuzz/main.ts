/**
 * @file The command line of the fuzzers, behind scripts/fuzz.mjs:
 *
 *   npm run fuzz                        an hour, shared among all parts
 *   npm run fuzz -- --minutes 10 --seed 7
 *   npm run fuzz -- --only decode_jpeg --only images
 *   npm run fuzz -- --only images --cases 60000    so many cases of each part, however long they take
 *   npm run fuzz -- --photos FOLDER     JPEGs of your own to begin from, too
 *   npm run fuzz -- --native            the C++ targets alone, as the gate does
 *
 * A case is a function of seed and number: the same seed finds the same again. Exit code 1 where something
 * was found.
 */

import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fuzzParts, type Part } from "./parts.ts";
import { add, type Finding, type FuzzOptions, type FuzzSummary } from "./report.ts";
import { TARGETS } from "./targets.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const built = join(root, "native", "build-fuzz");
const findings = join(built, "findings");

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: String(Math.floor(Date.now() / 1000) % 2 ** 31) },
    cases: { type: "string" },
    only: { type: "string", multiple: true, default: [] },
    photos: { type: "string" },
    native: { type: "boolean", default: false },
    // For a part's own process: "NAME FIRST COUNT".
    slice: { type: "string" },
  },
});

function number(name: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0) || text.trim() === "")
    throw new Error(`fuzz: --${name} must be a number from 0 on; got "${text}"`);
  return value;
}

const seed = number("seed", values.seed);
const parts = fuzzParts({ built, findings, photos: values.photos });
mkdirSync(findings, { recursive: true });

/** A run of a part with the sanitized addon, in a process of its own. */
function runApart({ name }: Part, { first = 0, count }: FuzzOptions): Promise<FuzzSummary> {
  const slice = `${name} ${first} ${count}`;
  const command = [
    join(root, "scripts", "with-sanitizers"),
    "node",
    join(root, "scripts", "fuzz.mjs"),
    "--seed",
    String(seed),
    "--slice",
    slice,
  ];
  const child = spawn("bash", command, { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let said = "";
  child.stdout.on("data", (text) => {
    printed += text;
  });
  child.stderr.on("data", (text) => {
    said = (said + text).slice(-20_000);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(JSON.parse(printed) as FuzzSummary);
      const line = said.split("\n").find((text) => /ERROR: |runtime error:/.test(text));
      const finding: Finding = {
        what: line ?? `the process ended with ${signal ?? `exit code ${code}`}`,
        reproduce: `scripts/with-sanitizers node scripts/fuzz.mjs --seed ${seed} --slice "${slice}"`,
        detail: said,
      };
      resolve({ name, inputs: 0, outcomes: {}, findings: [finding] });
    });
  });
}

const print = (line: string) => process.stdout.write(`${line}\n`);

function show(summary: FuzzSummary, seconds: number): void {
  const outcomes = Object.entries(summary.outcomes).map(([what, count]) => `${what} ${count}`);
  print(
    `${summary.name}: ${summary.inputs} inputs in ${seconds.toFixed(0)} s, ${summary.findings.length} findings` +
      (outcomes.length > 0 ? `\n  ${outcomes.join(", ")}` : ""),
  );
  for (const { what, reproduce } of summary.findings.slice(0, 10))
    print(`  FOUND ${what}\n    again: ${reproduce}`);
}

/** Runs slices of a part until its time is over, or so many cases are done, or something is found. */
async function runPart(part: Part, seconds: number, cases = Infinity): Promise<FuzzSummary> {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  let sum: FuzzSummary = { name: part.name, inputs: 0, outcomes: {}, findings: [] };
  do {
    const first = sum.inputs;
    const options = { seed, first, count: Math.min(part.slice, cases - first) };
    sum = add(sum, await (part.sanitized ? runApart(part, options) : part.run(options)));
  } while (sum.findings.length === 0 && sum.inputs < cases && elapsed() < seconds);
  show(sum, elapsed());
  return sum;
}

async function main(): Promise<void> {
  if (values.slice !== undefined) {
    const [name, first, count] = values.slice.split(" ");
    const part = parts.find((candidate) => candidate.name === name);
    if (part === undefined) throw new Error(`fuzz: there is no part "${name}"`);
    print(JSON.stringify(await part.run({ seed, first: Number(first), count: Number(count) })));
    return;
  }
  print(`seed ${seed}`);
  const { only } = values;
  const unknown = only.find((name) => !parts.some((part) => part.name === name));
  if (unknown !== undefined)
    throw new Error(
      `fuzz: there is no part "${unknown}"; parts are ${parts.map(({ name }) => name).join(", ")}`,
    );
  const isNative = (name: string) => (TARGETS as readonly string[]).includes(name);
  const native = parts.filter(({ name }) => isNative(name));
  const chosen = (values.native ? native : parts).filter(
    ({ name }) => only.length === 0 || only.includes(name),
  );
  const seconds = (60 * number("minutes", values.minutes)) / chosen.length;
  const cases = values.cases === undefined ? undefined : number("cases", values.cases);
  let found = 0;
  for (const part of chosen)
    found += (await runPart(part, cases === undefined ? seconds : Infinity, cases)).findings.length;
  process.exitCode = found === 0 ? 0 : 1;
}

await main();
