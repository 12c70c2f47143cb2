/**
 * @file A network of the user's own that fails in every way, with paths of the machine in all that it says:
 * no file of the run directory holds one of them, but for the logs, which stay where they are.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openDataset } from "../../src/datasets/open.ts";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { root } from "../house/rooms.ts";

/** Ways to fail in the process of a trial; `here` is the network's own file, `out` the run directory. */
const FAILURES = [
  `throw new Error("ENOENT: no such file or directory, open '/people/alice/secret-project/weights.bin'")`,
  `throw new Error("cannot read C:\\\\People\\\\alice\\\\secret project\\\\a.bin, nor /srv/secret-disk/b.bin (see " + import.meta.url + ")")`,
  `throw new Error("outer of " + here, { cause: new Error("/people/alice/inner") })`,
  `throw Object.assign(new Error("short"), { stack: "Error: short\\n    at f (" + here + ":1:2)\\n    at /people/alice/my secret/x.js:3:4" })`,
  `throw new TypeError("Failed to load " + JSON.stringify({ file: here, url: import.meta.url, in: out }))`,
  `throw "a string that names " + here`,
  `console.error("reads /people/alice/secret-project/data and " + here + " in " + process.cwd()); process.exit(3)`,
  `console.error("\\nfile:///people/alice/secret-project/x.mjs:3\\n  broken\\n"); process.kill(process.pid, "SIGKILL")`,
  `process.nextTick(() => { throw new Error("uncaught of " + here) })`,
];

const OPTIMIZERS = [
  "adam",
  ...["sgd", "adamw", "nadam", "rmsprop", "adagrad", "adadelta", "lion", "lamb", "radam"],
].slice(0, FAILURES.length + 1);

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();

  test("records, report, figures and event files name no path of the machine", async () => {
    const place = within("my secret place");
    const photos = join(place, "photos");
    const dataset = await openDataset("synthetic", { size: 16, limit: 9 });
    for (const [image, label] of dataset.labels.entries()) {
      const folder = join(photos, dataset.classes[label]!);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${image}.png`), await dataset.png(image));
    }
    writeFileSync(join(photos, dataset.classes[0]!, "torn.png"), "torn");
    dataset.close();
    const out = join(place, "run");
    const model = join(place, "net.mjs");
    writeFileSync(
      model,
      `import { existsSync, readdirSync } from "node:fs";
      import { layers } from "lrscope";
      const { conv2d, globalAveragePool, linear, relu, sequential } = layers;
      const here = ${JSON.stringify(model)};
      const out = ${JSON.stringify(out)};
      // The first trial is one that works, so that there is a report.
      const trial = process.argv[2] === "trial" ? readdirSync(out + "/trials").length - 2 : -1;
      const failures = [${FAILURES.map((text) => `() => { ${text} }`).join(",\n")}];
      export const network = ({ classes, channels, size }) => {
        if (trial >= 0) failures[trial]();
        return layers.network({
          name: "net", inputShape: [channels, size, size], classes,
          layer: sequential([conv2d({ channels: 4, kernel: 3 }), relu(), globalAveragePool(), linear({ features: classes })]),
        });
      };\n`,
    );
    const { code, stderr } = await cli([
      ...["compare", photos, "--size", "16", "--batch", "16", "--epochs", "1", "--threads", "1"],
      ...["--optimizers", OPTIMIZERS.join(","), "--seeds", "1", "--model", model, "--tensorboard"],
      ...["--out", out],
    ]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${FAILURES.length} of `)]);

    const files = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) =>
      /\.(json|jsonl|html|svg|csv|txt|lrscope|safetensors)$/.test(name),
    );
    expect(files).toContain("report.html");
    expect(files.filter((name) => name.endsWith("trial.json"))).toHaveLength(OPTIMIZERS.length);
    const forbidden = [place, within("."), root.replace(/\/$/, ""), "my secret", "alice", "secret"];
    if (homedir().length > 1) forbidden.push(`${homedir()}/`);
    const found = files
      .filter((name) => !name.endsWith("log.txt"))
      .flatMap((name) => {
        const text = readFileSync(join(out, name), "latin1");
        return forbidden
          .filter((path) => text.includes(path))
          .map((path) => {
            const at = text.indexOf(path);
            return `${name}: ${path}: ${text.slice(Math.max(0, at - 60), at + 60)}`;
          });
      });
    expect(found).toEqual([]);
    // The logs have it all, for whoever is at the machine.
    expect(readFileSync(join(out, "trials/sgd-0/log.txt"), "utf8")).toContain("secret-project");
  }, 180_000);
});
