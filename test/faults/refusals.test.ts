/** @file What a resumption refuses, naming the difference; and what it finds its way around. */

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/datasets/open.ts";
import { acquireLease } from "../../src/store/index.ts";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { resultOf, TINY_FLAGS } from "./tiny.ts";

const within = temporaryFolder();

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const common = ["--optimizers", "adam", "--seeds", "2", "--epochs", "3", "--threads", "1"];
  let photos: string;
  let stopped: string;
  let whole: Record<string, string>;

  beforeAll(async () => {
    photos = within("photos");
    const dataset = await openDataset("synthetic", { size: 16, limit: 9 });
    for (const [image, label] of dataset.labels.entries()) {
      const folder = join(photos, dataset.classes[label]!);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${image}.png`), await dataset.png(image));
    }
    dataset.close();
    const sizes = ["--size", "16", "--batch", "16"];
    const call = ["compare", photos, ...sizes, ...common, "--no-samples", "--out"];
    expect((await cli([...call, within("whole")])).code).toBe(0);
    whole = resultOf(within("whole"));
    stopped = within("stopped");
    const statusOf = () =>
      JSON.parse(readFileSync(join(stopped, "trials/adam-0/trial.json"), "utf8")).status;
    do {
      rmSync(stopped, { recursive: true, force: true });
      const controller = new AbortController();
      const { code } = await cli([...call, stopped], {
        signal: controller.signal,
        onOutput: (text) => /epoch +2 /.test(text) && controller.abort(),
      });
      expect(code).toBe(130);
      // The trial's process waits for nobody: it may have been done before it heard that it is to stop.
    } while (statusOf() === "done");
  });
  const copy = (name: string) => {
    cpSync(stopped, within(name), { recursive: true });
    return within(name);
  };
  const refused = async (argv: readonly string[]) => {
    const { code, stdout, stderr } = await cli(argv);
    expect([code, stdout]).toEqual([2, ""]);
    return stderr;
  };

  test("goes on, wherever the run directory lies, without the folder of images being said again", async () => {
    const path = copy("moved");
    const { code, stderr } = await cli(["compare", "--resume", path]);
    expect(stderr).toContain(`going on with ${path}: 2 runs to finish`);
    expect(code).toBe(0);
    expect(resultOf(path)).toEqual(whole);
    expect(readFileSync(join(path, "experiment.json"), "utf8")).not.toContain(within(""));
  });

  test("a run of version 0.1.0 goes on with today's instructions, and it is said that last bits may differ", async () => {
    const path = copy("earlier");
    const file = join(path, "experiment.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/"lrscope": "[^"]+"/, '"lrscope": "0.1.0"'));
    expect(readFileSync(file, "utf8")).not.toBe(text);
    const planFile = join(path, "plan.json");
    const plan = JSON.parse(readFileSync(planFile, "utf8"));
    plan.implementations[0].implementation = "as version 0.1 had it";
    writeFileSync(planFile, JSON.stringify(plan));
    const { code, stderr } = await cli(["compare", "--resume", path]);
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(stderr).toMatch(/begun by lrscope 0\.1\.0, this is \d.*may differ in their last bits/);
    expect(readFileSync(planFile, "utf8")).not.toContain("as version 0.1 had it");
    // Only the number of its version was another one's.
    expect(resultOf(path)).toEqual(whole);
  });

  test("a finished one is rendered again, and that is all", async () => {
    const path = within("finished");
    cpSync(within("whole"), path, { recursive: true });
    rmSync(join(path, "report.html"));
    const { code, stderr, stdout } = await cli(["compare", "--resume", path]);
    expect([code, stderr]).toEqual([
      0,
      `${path}: is finished already; its report is rendered again\n`,
    ]);
    expect(stdout).toContain(`Records: ${path}`);
    expect(existsSync(join(path, "report.html"))).toBe(true);
    expect(resultOf(path)).toEqual(whole);
  });

  test("a deleted cache: the images are decoded again, once it is said where they are", async () => {
    const path = copy("no cache");
    const earlier = process.env.LRSCOPE_CACHE;
    process.env.LRSCOPE_CACHE = within("another cache");
    try {
      const stderr = await refused(["compare", "--resume", path]);
      expect(stderr).toContain('the images of "photos" are not where they were');
      expect(stderr).toContain(`lrscope compare FOLDER --resume ${path}`);
      expect((await cli(["compare", photos, "--resume", path])).code).toBe(0);
      expect(resultOf(path)).toEqual(whole);
    } finally {
      process.env.LRSCOPE_CACHE = earlier;
    }
  });

  test("changed data: refused, the difference named", async () => {
    const path = copy("changed data");
    const changed = within("changed");
    cpSync(photos, changed, { recursive: true });
    const [image] = readdirSync(join(photos, "disc"));
    cpSync(join(photos, "disc", image!), join(changed, "disc/new.png"));
    const stderr = await refused(["compare", changed, "--resume", path]);
    expect(stderr).toContain(`${path}: cannot be gone on with here`);
    expect(stderr).toMatch(/dataset\.name is "changed", not "photos"/);
    expect(stderr).toMatch(/dataset\.fingerprint is "[0-9a-f]+\.{3}, not "[0-9a-f]+\.{3}/);
    expect(stderr).toContain("dataset.images is 37, not 36");
  });

  test.each([
    [
      "plan.json",
      /"implementation": "[^"]+"/,
      '"implementation": "other"',
      /implementations\.0 \(.*not "other"/,
    ],
    ["experiment.json", /"batch": 16/, '"batch": 15', /protocol\.batch is 16, not 15/],
    [
      "experiment.json",
      /"engine": "[^"]+"/,
      '"engine": "oneDNN 1"',
      /engine is "oneDNN .*, not "oneDNN 1"/,
    ],
    ["experiment.json", /"lrscope": "[^"]+"/, '"lrscope": "0.0.9"', /lrscope is ".*", not "0.0.9"/],
    ["experiment.json", /"graph": "[^"]+"/, '"graph": "0"', /model\.graph is .*, not "0"/],
  ] as const)("%s of another kind: refused (%s)", async (file, from, to, message) => {
    const path = copy(`${file} ${to.replaceAll(/\W+/g, " ")}`);
    const text = readFileSync(join(path, file), "utf8");
    writeFileSync(join(path, file), text.replace(from, to));
    expect(await refused(["compare", "--resume", path])).toMatch(message);
  });

  test("two in one directory: the second is refused, the first named", async () => {
    const path = copy("two");
    const lease = await acquireLease(path);
    for (const argv of [
      ["compare", "--resume", path],
      ["compare", ...TINY_FLAGS, ...common, "--out", path],
    ]) {
      // This process holds the lock, and asks for it.
      const stderr = await refused(argv);
      expect(stderr).toMatch(/process \d+ has been working in this folder|already holds another/);
    }
    lease.release();
  });

  test("what the directory answers is not asked again; wrong commands and directories", async () => {
    const path = copy("flags");
    expect(await refused(["compare", "--resume", path, "--batch", "9"])).toContain(
      "compare: --batch has no effect beside --resume",
    );
    expect(await refused(["train", "--resume", path])).toContain(
      `go on with it by lrscope compare --resume ${path}`,
    );
    expect(await refused(["compare", "--resume", within("nowhere")])).toContain("no such folder");
    expect(await refused(["compare", "--resume", photos])).toContain("is not a run directory");
    expect(await refused(["compare"])).toContain("SOURCE is missing");
    const jobs = ["compare", ...TINY_FLAGS, "--threads", "2", "--jobs", "3", "--out", within("j")];
    expect(await refused(jobs)).toContain("got 3 for 2");
  });

  test("train goes on too, with a network from a file", async () => {
    const model = within("net.ts");
    writeFileSync(
      model,
      `import { layers } from "lrscope";
      const { conv2d, globalAveragePool, linear, relu, sequential } = layers;
      export const network = ({ classes, channels, size }) => layers.network({
        name: "net", inputShape: [channels, size, size], classes,
        layer: sequential([conv2d({ channels: 4, kernel: 3 }), relu(), globalAveragePool(), linear({ features: classes })]),
      });\n`,
    );
    const call = ["train", ...TINY_FLAGS, "--epochs", "4", "--threads", "1", "--model", model];
    expect((await cli([...call, "--no-samples", "--out", within("net")])).code).toBe(0);
    const path = within("net stopped");
    const controller = new AbortController();
    await cli([...call, "--no-samples", "--out", path], {
      signal: controller.signal,
      onOutput: (text) => /epoch +2 /.test(text) && controller.abort(),
    });
    expect((await cli(["train", "--resume", path])).code).toBe(0);
    expect(resultOf(path)).toEqual(resultOf(within("net")));
  });
});
