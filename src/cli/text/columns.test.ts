/** @file Every line of a terminal in its width, whatever that is: as functions of the width. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeComparison } from "../../../test/report/fake-records.ts";
import { summarize } from "../../analysis/index.ts";
import { NO_PROGRESS, progress, type StudyEvent, versioned } from "../../record/index.ts";
import { openTerminal } from "../terminal.ts";
import { barLine } from "./bar-line.ts";
import { columnsOf, fitted, shortenedTo } from "./columns.ts";
import { openLiveArea } from "./live-area.ts";
import { linesOf } from "./progress-text.ts";
import { resultsText } from "./results-text.ts";
import { standings } from "./standings.ts";

const WIDTHS = [40, 80, 100, 200];

const silent = { write: () => true };
const { plain } = openTerminal({ stdout: silent, stderr: silent, json: false, environment: {} });
const RATES = ["1e-4", "3e-4", "1e-3"].map((rate) => `adamw(beta2=0.95)+warmup-cosine@${rate}`);

/** Nine trials under way on three arms, of which one ended. */
function study(names: readonly string[]): {
  events: StudyEvent[];
  input: ReturnType<typeof fakeComparison>;
} {
  const input = fakeComparison({ arms: ["adam", "adamax", "rmsprop"], seeds: 3, epochs: 4 });
  const old = input.experiment.arms.map(({ name }) => name);
  const named = (arm: string) => names[old.indexOf(arm)] ?? arm;
  for (const arm of input.experiment.arms) arm.name = named(arm.name);
  for (const { trial } of input.trials) trial.arm = named(trial.arm);
  // Every arm has its first before any has its second.
  const trials = [...input.trials].sort((a, b) => a.trial.seed - b.trial.seed);
  const events = trials.flatMap(({ trial, metrics }, index): StudyEvent[] => {
    const of = { arm: trial.arm, seed: trial.seed };
    return [
      versioned({
        ...{ type: "trial-started", trial: { ...trial, status: "running" } as const },
        ...{ metrics: [], index, trials: 9 },
      }),
      versioned({
        ...({ type: "update", ...of, epoch: 1, update: 30, updates: 216 } as const),
        ...{ lr: 1e-3, loss: 1, imagesPerSecond: 12_345 },
      }),
      ...metrics
        .slice(0, 1)
        .map((line) => versioned({ type: "epoch", ...of, metrics: line } as const)),
      ...(index === 0 ? [versioned({ type: "trial-finished", trial } as const)] : []),
    ];
  });
  return { events, input };
}

const linesAt = (events: readonly StudyEvent[], columns: number | undefined) => {
  let state = NO_PROGRESS;
  return events.flatMap((event) => {
    const before = state;
    state = progress(before, event);
    return linesOf({
      ...{ event, before, after: state, bar: true, colors: plain },
      ...(columns === undefined ? {} : { columns }),
    }).map(({ text }) => text);
  });
};

describe.each(WIDTHS)("%i columns", (width) => {
  test("an epoch is one line, and says whose it is", () => {
    const lines = linesAt(study(RATES).events, width).filter((line) => line.includes("%"));
    expect(lines).toHaveLength(9);
    for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(width);
    // Of the last three, one of each arm, the beginnings differ where the rates do.
    const subjects = lines.slice(-3).map((line) => line.split("  ")[0]);
    expect(new Set(subjects).size).toBe(3);
    for (const [i, rate] of ["1e-4", "3e-4", "1e-3"].entries()) expect(subjects[i]).toContain(rate);
  });

  test("the standings and the bar are as narrow, and name every arm", () => {
    const state = study(RATES).events.reduce(progress, NO_PROGRESS);
    const table = standings(state, { columns: width - 1, rows: 12, colors: plain });
    expect(table).toHaveLength(4);
    for (const line of table) expect(columnsOf(line)).toBeLessThan(width);
    for (const rate of ["1e-4", "3e-4", "1e-3"]) expect(table.join("\n")).toContain(rate);
    const label = `${RATES[0]}, seed 2, epoch 3 (run 7 of 9)`;
    const line = barLine(
      { label, part: 0.725, detail: ", 12,345 images/s", left: ", 3 min left" },
      width - 1,
    );
    expect(columnsOf(line)).toBeLessThan(width);
    expect(line).toContain("72%");
  });

  test("the results' tables are no wider, nor is any sentence", async () => {
    const long = RATES.map((name) => `${name}${"0".repeat(200)}`);
    for (const names of [RATES, long]) {
      const { input } = study(names);
      const summary = summarize(input.experiment, input.trials);
      const text = await resultsText(summary, { columns: width, colors: plain });
      for (const line of text.split("\n")) expect(columnsOf(line)).toBeLessThanOrEqual(width);
    }
  });

  test("a note is broken at spaces, and a command never", () => {
    const written: string[] = [];
    const stream = { write: (text: string) => written.push(text), isTTY: true, columns: width };
    const terminal = openTerminal({ stdout: stream, stderr: stream, json: false, environment: {} });
    terminal.note(`${"a word and ".repeat(30)}the end`);
    for (const line of written.join("").split("\n")) expect(line.length).toBeLessThanOrEqual(width);
    const command = `lrscope compare --resume 'my runs/${"x y ".repeat(60)}'`;
    terminal.command(command);
    expect(written.at(-1)).toBe(`  ${command}\n`);
  });
});

test("elsewhere than on a terminal lines stay whole", () => {
  const lines = linesAt(study(RATES).events, undefined).filter((line) => line.includes("%"));
  for (const line of lines) expect(line).toContain("images/s");
  expect(lines[0]).toContain(RATES[0]);
});

test("an interrupted trial is called that, and the command to go on stands alone", () => {
  const { events, input } = study(RATES);
  const { trial } = input.trials[1]!;
  const lines = linesAt(
    [
      ...events,
      versioned({ type: "trial-finished", trial: { ...trial, status: "interrupted" } } as const),
      versioned({
        ...({ type: "interrupted", path: "my runs/1", report: "my runs/1/report.html" } as const),
        ...{ command: "lrscope compare --resume 'my runs/1'", finished: 1, planned: 9 },
      }),
    ],
    200,
  );
  expect(lines.slice(-5)).toEqual([
    expect.stringMatching(/ interrupted after epoch 1 of 4$/),
    "1 of 9 runs finished",
    "records so far: my runs/1; their report: my runs/1/report.html",
    "to go on:",
    "lrscope compare --resume 'my runs/1'",
  ]);
});

describe("a text in columns", () => {
  test("wide letters take two, marks and colours none", () => {
    expect(columnsOf("花e\u0301\x1b[1mx\x1b[22m")).toBe(4);
    expect(shortenedTo("花花花花", 5)).toBe("花…花");
  });

  test("is broken at its spaces, which alone are lost; a word that is wider stays whole", () => {
    expect(fitted("  one two three", 9)).toBe("  one two\n    three");
    expect(fitted("/a/very/long/path of", 8)).toBe("/a/very/long/path\n  of");
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom(..."ab花"), minLength: 1, maxLength: 9 }), {
          minLength: 1,
        }),
        fc.integer({ min: 20, max: 60 }),
        (words, width) => {
          const text = fitted(words.join(" "), width);
          for (const line of text.split("\n")) expect(columnsOf(line)).toBeLessThanOrEqual(width);
          expect(text.split(/\s+/)).toEqual(words);
        },
      ),
    );
  });
});

/** What a terminal shows of what was written to it, as far as the area writes: lines, up, left, and all below away. */
function screen(written: string): string[] {
  const rows = [""];
  let [row, column] = [0, 0];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal obeys.
  for (const [part] of written.matchAll(/\x1b\[(\d*)([AJ])|\r|\n|[^\x1b\r\n]+/g)) {
    if (part === "\n") {
      row += 1;
      column = 0;
      rows[row] ??= "";
    } else if (part === "\r") column = 0;
    else if (part.endsWith("A")) row -= Number(part.slice(2, -1));
    else if (part.endsWith("J") && part.startsWith("\x1b")) {
      rows.length = row + 1;
      rows[row] = rows[row]!.slice(0, column);
    } else {
      rows[row] = rows[row]!.slice(0, column) + part;
      column += part.length;
    }
  }
  return rows;
}

test("what is under way stands below all that was said, and leaves nothing", () => {
  let written = "";
  const stream = { write: (text: string) => (written += text), columns: 80 };
  const area = openLiveArea(stream);
  area.show(["table", "bar 1"]);
  area.around(() => stream.write("said\n"));
  area.show(["table", "more", "bar 2"]);
  // As a terminal echoes Ctrl-C.
  stream.write("^C");
  area.around(() => stream.write("ending\n"));
  expect(screen(written)).toEqual(["said", "ending", "table", "more", "bar 2", ""]);
  area.clear();
  area.clear();
  expect(screen(written)).toEqual(["said", "ending", ""]);
});

test("NO_COLOR, a dumb terminal and a pipe have no lines that are written again", () => {
  const interactive = (isTTY: boolean, environment: Record<string, string>) => {
    const stream = { ...silent, isTTY, columns: 80 };
    return openTerminal({ stdout: stream, stderr: stream, json: false, environment }).interactive;
  };
  expect(interactive(true, { TERM: "xterm" })).toBe(true);
  expect(interactive(true, { TERM: "xterm", NO_COLOR: "1" })).toBe(false);
  expect(interactive(true, { TERM: "dumb" })).toBe(false);
  expect(interactive(false, { TERM: "xterm" })).toBe(false);
});
