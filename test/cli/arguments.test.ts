/** @file Calls that are wrong: exit code 2, one line on stderr that names the thing and the remedy. */

import { describe, expect, test } from "vitest";
import { DEFAULT_ARMS } from "../../src/arms/default-arms.ts";
import { commands } from "../../src/cli/commands/index.ts";
import { flagName } from "../../src/cli/flags/define-command.ts";
import { multipliesBf16 } from "../../src/engine/native/precision.ts";
import { cli } from "./run-cli.ts";

async function refused(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(argv);
  expect(stdout).toBe("");
  expect(code).toBe(2);
  expect(stderr).toMatch(/^lrscope: .*\n$/);
  expect(stderr).not.toMatch(/\n\s+at /);
  return stderr;
}

describe("words", () => {
  test("no command", async () => expect(await refused()).toContain("a command is missing"));

  test("on a terminal a line in its width, unless a command to copy stands in it", async () => {
    const narrow = await cli(["find", "synthetic", "--schedule", "clr"], { tty: true });
    const lines = narrow.stderr.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    const whole = await cli(["train"], { tty: true });
    expect(whole.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(whole.stderr).toMatch(/.{81}/);
  });

  test("an unknown command, with the nearest", async () => {
    expect(await refused("fnid")).toContain('unknown command "fnid"; did you mean "find"?');
    expect(await refused("upload", "x")).toContain(
      'unknown command "upload"; Commands: demo, data',
    );
  });

  test("an unknown flag, with the nearest", async () => {
    expect(await refused("find", "x", "--form", "1")).toContain(
      "find: unknown flag --form; did you mean --from?",
    );
    expect(await refused("train", "x", "--optimiser=adam")).toContain("did you mean --optimizer?");
  });

  test("a flag of another command", async () =>
    expect(await refused("find", "x", "--max-lr", "1")).toContain(
      "find: does not take --max-lr (train, compare do)",
    ));

  test("a flag without its value, before the end or before another flag", async () => {
    expect(await refused("find", "x", "--from")).toContain("find: --from needs a value");
    expect(await refused("find", "x", "--out", "--json")).toContain(
      "find: --out needs a value before --json",
    );
  });

  test("a flag given twice", async () =>
    expect(await refused("find", "x", "--seed", "1", "--seed", "2")).toContain(
      'find: --seed is given twice ("1" and "2")',
    ));

  test("no source, and one source too many", async () => {
    expect(await refused("compare")).toContain("compare: SOURCE is missing");
    expect(await refused("find", "a", "b")).toContain("find: takes only SOURCE");
  });

  test
    .skipIf(multipliesBf16())
    .each([["train", "x"], ["find", "x"], ["compare", "x"], ["bench", "step"], ["explain"]])(
    "%s: --precision bf16 is refused where the processor has none, with the reason",
    async (...call) =>
      expect(await refused(...call, "--precision", "bf16")).toContain(
        `${call[0]}: --precision bf16 needs a processor with AVX512-BF16 or AMX, and this one has neither; leave it out for fp32`,
      ),
  );

  test("--precision of what is measured in fp32 alone", async () => {
    for (const call of [["epoch"], ["step", "--grow"]])
      expect(await refused("bench", ...call, "--precision", "bf16")).toContain(
        "bench: --precision bf16 belongs to bench step without --grow; leave it out",
      );
  });

  test.each(["0", "-1G", "2T", "G", "lots"])("--memory %s", async (bytes) =>
    expect(await refused("train", "x", "--memory", bytes)).toContain(
      `--memory must be a number of bytes above 0, with K, M or G where wanted; got "${bytes}"`,
    ),
  );

  test("bench: other kinds", async () => {
    expect(await refused("bench", "epoch", "--grow")).toContain("belong to bench step");
    expect(await refused("bench", "step", "--epochs", "2")).toContain(
      "bench: --epochs belongs to bench study; leave it out",
    );
    expect(await refused("bench", "stpe")).toContain(
      'unknown benchmark "stpe"; did you mean "step"?',
    );
  });
});

describe("numbers are strict", () => {
  test.each(["0", "-1", "NaN", "Infinity", "abc", "1e-3x", "", "0x10", "1e999"])(
    "--lr %j",
    async (text) =>
      expect(await refused("train", "x", `--lr=${text}`)).toBe(
        `lrscope: train: --lr must be a positive number; got "${text}". For example: --lr 1e-3\n`,
      ),
  );

  test("a negative number after a space is the value, not a flag", async () =>
    expect(await refused("train", "x", "--lr", "-0.1")).toContain('got "-0.1"'));

  test.each([
    ["--from", "0", "a positive number"],
    ["--to", "-0.1", "a positive number"],
    ["--epochs", "1.5", "a positive whole number"],
    ["--batch", "0", "a positive whole number"],
    ["--size", "big", "a positive whole number"],
    ["--seeds", "0", "a positive whole number"],
    ["--seed", "4294967296", "a whole number from 0 to 4294967295"],
    ["--seed", "-1", "a whole number from 0 to 4294967295"],
    ["--validation", "1", "a number between 0 and 1"],
    ["--validation", "0", "a number between 0 and 1"],
    ["--momentum", "1", "a number from 0 to below 1"],
    ["--weight-decay", "-1", "a number, 0 or more"],
    ["--label-smoothing", "1", "a number from 0 to below 1"],
    ["--clip", "0", "a positive number"],
    ["--stop-factor", "1", "a number above 1"],
  ])("find %s %s", async (flag, text, rule) =>
    expect(await refused("find", "x", flag, text)).toContain(
      `find: ${flag} must be ${rule}; got "${text}"`,
    ),
  );

  test.each(["0", "0e", "-4e", "2.5", "e", "4x"])("--step-size %j", async (text) =>
    expect(await refused("train", "x", `--step-size=${text}`)).toContain(
      `--step-size must be a whole number of updates, or of epochs followed by e; got "${text}"`,
    ),
  );

  test("a list with nothing between two commas", async () =>
    expect(await refused("compare", "x", "--optimizers", "adam,,sgd")).toContain(
      '--optimizers must be names with commas between; got "adam,,sgd"',
    ));
});

describe("what does not fit together", () => {
  test("--from not below --to", async () => {
    expect(await refused("find", "x", "--from", "1", "--to", "0.1")).toContain(
      "find: --from must be below --to; got --from 1 and --to 0.1",
    );
    for (const command of ["find", "compare"])
      expect(await refused(command, "x", "--from", "10")).toContain(
        "--from must be below --to, which is 10 by default; got --from 10",
      );
    expect(await refused("find", "x", "--from", "0.1", "--published")).toContain(
      "--from must be below --to, which is 0.1 by default",
    );
  });

  test("--base-lr not below --max-lr", async () =>
    expect(
      await refused("train", "x", "--schedule", "clr", "--max-lr", "0.1", "--base-lr", "0.1"),
    ).toContain("--base-lr must be below --max-lr; got 0.1 and 0.1"));

  test("flags that nothing would look at", async () => {
    expect(await refused("compare", "x", "--optimizers", "adam", "--max-lr", "1")).toContain(
      "compare: --max-lr has no effect here",
    );
    expect(await refused("train", "x", "--step-size", "4e")).toContain("--schedule clr");
    expect(await refused("train", "x", "--schedule", "clr", "--lr", "1")).toContain(
      "train: --lr has no effect with --schedule clr",
    );
    expect(await refused("compare", "x", "--optimizers", "sgd+clr@0.1", "--max-lr", "1")).toContain(
      "every cyclical arm has a rate of its own",
    );
    expect(await refused("compare", "x", "--max-lr", "1", "--to", "2")).toContain(
      "--to has no effect here: no range test is made",
    );
    expect(await refused("train", "x", "--optimizer", "adam", "--momentum", "0.9")).toContain(
      "--momentum has no effect here: adam has none",
    );
  });

  test("unknown optimizer, schedule, model, with the nearest", async () => {
    expect(await refused("train", "x", "--optimizer", "adma")).toContain('did you mean "adam"?');
    expect(await refused("find", "x", "--optimizer", "sdg")).toContain('did you mean "sgd"?');
    expect(await refused("compare", "x", "--optimizers", "sgd+clr,admax")).toContain(
      'did you mean "adamax"?',
    );
    expect(await refused("compare", "x", "--optimizers", "sgd+crl")).toContain(
      'did you mean "clr"?',
    );
    expect(await refused("train", "x", "--schedule", "cosin")).toContain('did you mean "cosine"?');
    expect(await refused("train", "x", "--augment", "nome")).toContain('did you mean "none"?');
    expect(await refused("explain", "--model", "vanila")).toContain('did you mean "vanilla"?');
  });

  test("an arm's rate", async () => {
    expect(await refused("compare", "x", "--optimizers", "adam@0")).toContain(
      'the rate after @ must be a positive number; got "0"',
    );
    expect(await refused("compare", "x", "--optimizers", "adam,adam")).toContain("named twice");
    expect(await refused("train", "x", "--optimizer", "adam@1")).toContain("takes a name alone");
  });
});

describe("help", () => {
  test("lists every command, on stdout", async () => {
    const { code, stdout, stderr } = await cli(["--help"]);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    for (const { name, summary } of commands) {
      expect(stdout).toContain(`  ${name}`);
      expect(stdout.replaceAll(/\s+/g, " ")).toContain(summary);
    }
  });

  test.each(commands.map((command) => [command.name, command] as const))(
    "%s: every flag that can be used, within 80 columns, and examples that parse",
    async (name, command) => {
      for (const argv of [
        [name, "--help"],
        ["help", name],
      ]) {
        const { code, stdout } = await cli(argv);
        expect(code).toBe(0);
        for (const [key, flag] of Object.entries(command.flags))
          expect(stdout).toContain(flagName(key, flag));
        for (const line of stdout.split("\n").filter((text) => !text.includes("lrscope ")))
          expect(line.length).toBeLessThanOrEqual(80);
      }
      for (const example of command.examples) {
        const words = example.split(" ").filter((word) => word.startsWith("--"));
        const flags = Object.entries(command.flags).map(([key, flag]) => flagName(key, flag));
        for (const word of words) expect(flags).toContain(word);
        expect(example.startsWith(`lrscope ${name}`)).toBe(true);
      }
    },
  );

  test("the default arms are in the help", async () =>
    expect((await cli(["compare", "--help"])).stdout.replaceAll(/\s+/g, "")).toContain(
      DEFAULT_ARMS.join(","),
    ));

  test("the version is the package's", async () =>
    expect((await cli(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/));
});

describe("schedule", () => {
  test("draws, ending the axis at the true bounds", async () => {
    const { code, stdout } = await cli(["schedule", "triangular:base=1e-4,max=1e-2,step=216"]);
    expect(code).toBe(0);
    expect(stdout).toContain("triangular, 1e-4 to 0.01, step size 216 updates");
    expect(stdout).toMatch(/^ +0\.01 [┼┤]/m);
    expect(stdout).toMatch(/^ +1e-4 [┼┤]/m);
  });

  test("a constant is one line", async () =>
    expect((await cli(["schedule", "constant:lr=1e-3"])).stdout).toMatch(/^ +1e-3 ┼─{60,}$/m));

  test("JSON in, JSON out: hand-computed points", async () => {
    const spec = '{"type":"triangular","base":0,"max":1,"stepSize":4}';
    const { schedule, points } = (await cli(["schedule", spec, "--json"])).json<{
      schedule: unknown;
      points: { update: number; lr: number }[];
    }>();
    expect(schedule).toEqual(JSON.parse(spec));
    expect(points.slice(0, 9).map(({ lr }) => lr)).toEqual([
      0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25, 0,
    ]);
  });

  type Points = { schedule: unknown; points: { update: number; lr: number }[] };

  test.each([
    ["exp_range:base=0,max=1,step=2,gamma=0.5,decay=bounds", "expRange", [0, 0.25, 0.25, 0.0625]],
    ["warmup:steps=2,schedule=(cosine:peak=2,steps=2)", "warmup", [0, 1, 2, 1, 0]],
    ["sequence:2=(constant:lr=1),1=(step:lr=3,every=1)", "sequence", [1, 1, 3, 3]],
    ["multi-step:lr=8,at=1/3,factor=0.5", "multiStep", [8, 4, 4, 2]],
    ["piecewise:points=0:1/2:3,between=linear", "piecewise", [1, 2, 3]],
    ["clip:max=1,schedule=(warmup:steps=2,schedule=(constant:lr=2))", "clip", [0, 1, 1]],
  ])("%s", async (spec, type, rates) => {
    const { schedule, points } = (
      await cli(["schedule", spec, "--steps", String(rates.length), "--json"])
    ).json<Points>();
    expect(schedule).toMatchObject({ type });
    expect(points.map(({ lr }) => lr)).toEqual(rates.map((rate) => expect.closeTo(rate, 12)));
  });

  test("says where a schedule is flat because it has ended", async () =>
    expect((await cli(["schedule", "cosine:peak=1,steps=9", "--steps", "20"])).stderr).toBe(
      "made for 9 updates; flat from there on\n",
    ));

  test("an SVG file that cannot be written: its name, and why", async () => {
    const { code, stderr } = await cli(["schedule", "constant:lr=1", "--svg", "no/such/x.svg"]);
    expect(code).toBe(1);
    expect(stderr).toContain("no/such/x.svg cannot be written: ENOENT");
  });

  test.each([
    ["warmup:steps=2,schedule=(cosine:peak=2,steps=2", "brackets do not match"],
    ["sequence:2=constant", "must hold a schedule in round brackets"],
    ["warmup:steps=2,schedule=(cosin:peak=2)", 'did you mean "cosine"?'],
    ["multistep:lr=1,at=3/x", '"at=3/x" must be KEY=NUMBER'],
    ["wsd:peak=1,steps=9,down=2,decay=cubic", 'decay must be "linear" or "sqrt"; got "cubic"'],
    ["triangle:base=1", 'did you mean "triangular"?'],
    ["clr:base=a", '"base=a" must be KEY=NUMBER'],
    ["clr:base=1,base=2", '"base" is given twice'],
    ["clr:base=0.1,max=1,step=2,fall=3", '"triangular" has no "fall"; it has base, max, stepSize'],
    ["constant:lr=-1", "positive"],
    ['{"type":3', "SPEC is not JSON"],
    ['{"kind":"constant"}', 'must have a "type"'],
  ])("refuses %s", async (spec, message) =>
    expect(await refused("schedule", spec)).toContain(message),
  );
});
