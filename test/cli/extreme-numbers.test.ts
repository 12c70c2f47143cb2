/**
 * @file Every option of every command that takes a number, at the ends of what a number can be: the work
 * begins and can be ended, or the call is refused, exit code 2, with the option's name. A call that hangs,
 * or takes all memory, fails the test by not coming back.
 */

import { describe, expect, test } from "vitest";
import { commands } from "../../src/cli/commands/index.ts";
import { type Flag, flagName } from "../../src/cli/flags/define-command.ts";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const EXTREMES = ["1e15", "9007199254740991", "9007199254740993", "1e308", "1e999", "5e-324"];
const OTHERS = ["-0", "-1", "NaN", "Infinity", "0x10", "9".repeat(400)];

/** A number as an option wants it written. */
const WRITTEN: Readonly<Record<string, (number: string) => string>> = {
  lrScale: (number) => `features=${number}`,
  decayScale: (number) => `features=${number}`,
  unfreeze: (number) => `head@${number}`,
  stepSize: (number) => number,
  time: (number) => `${number}s`,
};

/** What a number in this option needs beside it to have an effect. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  stepSize: ["--schedule", "clr", "--max-lr", "0.1"],
  maxLr: ["--schedule", "clr"],
  baseLr: ["--schedule", "clr", "--max-lr", "0.1"],
  averageDecay: ["--average", "ema"],
  lossEvery: ["--loss", "validation"],
  confirmEpochs: ["--confirm"],
};

/** A call that takes a second or two; of those that have more than one subject, the least. */
const CALLS: Readonly<Record<string, readonly string[]>> = {
  train: ["synthetic", "--size", "16", "--limit", "9", "--batch", "9", "--epochs", "1"],
  compare: [
    "synthetic",
    "--size",
    "16",
    "--limit",
    "9",
    "--batch",
    "9",
    "--epochs",
    "1",
    "--seeds",
    "1",
    "--optimizers",
    "sgd",
  ],
  find: ["synthetic", "--size", "16", "--limit", "9", "--batch", "9", "--epochs", "1"],
  data: ["synthetic", "--size", "16", "--limit", "9"],
  explain: ["--size", "16", "--batch", "2", "--classes", "3", "--profile"],
  schedule: ["cosine:peak=0.1,steps=100"],
  bench: ["optimizer", "--no-peers", "--repetitions", "1"],
};

/** Options whose value is no number. */
const isNumeric = ({ read }: Flag & { kind: "value" }, key: string) => {
  const write = WRITTEN[key] ?? String;
  return ["1", "3", "0.5", "1e-3"].some((number) => {
    try {
      read(write(number), "x");
      return true;
    } catch {
      return false;
    }
  });
};

const WORDS = new Set([
  "embedIn",
  "model",
  "out",
  "resume",
  "pretrained",
  "trainFrom",
  "schedule",
  "optimizer",
  "optimizers",
  "momentumSchedule",
  "svg",
  "figure",
  "trace",
  "into",
  "channels",
  "source",
  "events",
  "arm",
  "filter",
  "tag",
  "addTags",
  "removeTags",
  "note",
  "rename",
  "host",
  "token",
  "executor",
  "slurmOptions",
  "slurmSetup",
  "address",
  "files",
  "end",
]);

const seen = new Set<unknown>();
const numeric = commands.flatMap((command) =>
  Object.entries(command.flags).flatMap(([key, flag]) => {
    if (flag.kind !== "value" || WORDS.has(key) || !isNumeric(flag, key)) return [];
    const first = !seen.has(flag);
    seen.add(flag);
    return [{ command: command.name, key, flag, name: flagName(key, flag), first }];
  }),
);

test("there are as many numeric options as there seem to be", () => {
  expect(numeric.length).toBeGreaterThan(80);
  expect(new Set(numeric.map(({ key }) => key)).size).toBeGreaterThan(45);
});

describe.each(numeric)("$command $name", ({ command, key, flag, name }) => {
  const write = WRITTEN[key] ?? String;

  test("reads a number, or refuses it by name", () => {
    for (const number of [...EXTREMES, ...OTHERS]) {
      let value: unknown;
      try {
        value = flag.read(write(number), `${command}: ${name}`);
      } catch (error) {
        expect((error as Error).message).toContain(`${command}: ${name}`);
        expect((error as Error).message.length).toBeLessThan(600);
        continue;
      }
      expect(JSON.stringify(value)).not.toMatch(/null|NaN|Infinity/);
    }
  });
});

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  let calls = 0;

  /** Runs a call, and ends it once an epoch, or a tenth of a range test, is done. */
  async function begun(argv: readonly string[]) {
    const controller = new AbortController();
    const onOutput = (text: string) => {
      if (/ epoch +1 |^range test of .* updates/m.test(text)) controller.abort();
    };
    return cli(argv, { signal: controller.signal, onOutput });
  }

  // Of an option that several commands share, the first that has it.
  const first = numeric.filter(({ command, first }) => first && CALLS[command]);
  test.each(first)(
    "$command $name begins, or is refused",
    async ({ command, key, flag, name }) => {
      const write = WRITTEN[key] ?? String;
      for (const number of EXTREMES) {
        try {
          flag.read(write(number), name);
        } catch {
          continue;
        }
        const beside = BESIDE[key] ?? [];
        const own = new Set([name, ...beside.filter((word) => word.startsWith("--"))]);
        const base = CALLS[command]!.filter(
          (word, i, all) => !own.has(word) && !own.has(all[i - 1]!),
        );
        const out = ["train", "compare", "find"].includes(command)
          ? ["--out", within(`run-${calls++}`), "--no-samples"]
          : [];
        const argv = [command, ...base, ...beside, name, write(number), ...out];
        const { code, stderr } = await begun(argv);
        const said = `lrscope ${argv.join(" ")}\n${stderr}`;
        expect(said).not.toMatch(/unexpected|fault of lrscope|internal/);
        expect([0, 1, 2, 130], said).toContain(code);
        if (code === 1) expect(said).toMatch(/not finite|no finite|diverged|memory/);
        if (code === 2) expect(plain(stderr)).toContain(plain(name.slice(2)));
      }
    },
    120_000,
  );
});

/** "--step-size" and "stepSize" are one name. */
const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z]/g, "");
