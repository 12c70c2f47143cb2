/**
 * @file A study that is begun, paused, resumed, prolonged and cut by an arm from the page, while the server is killed
 * and comes back: what it leaves is what the same study leaves that was run from the command line. Needs Chromium and
 * the engine; skipped where either is missing.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli } from "../cli/run-cli.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { root } from "../house/rooms.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
const missing = [
  ...(executablePath ? [] : ["no Chromium at /usr/bin/chromium"]),
  ...(engineAbsent() === null ? [] : ["no engine"]),
];
const within = temporaryFolder();
const COMMAND = join(root, "bin", "lrscope.js");
const FINISHED = 10;
const LONGER = 14;

describe.skipIf(missing.length > 0)(`a study steered from the page ${missing.join("; ")}`, () => {
  let browser: Browser;
  let server: ChildProcess;
  let page: Page;
  let port = 0;
  /** A process of its own, so that it can be killed as a machine's end, or a reader, would. */
  const begin = async () => {
    server = spawn(process.execPath, [COMMAND, "serve", within("runs"), "--port", String(port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(server.stdout!, "data");
  };
  const kill = async () => {
    server.kill("SIGKILL");
    await once(server, "close");
  };
  beforeAll(async () => {
    port = await new Promise((resolve) => {
      const probe = createServer().listen(0, "127.0.0.1", () => {
        const { port: free } = probe.address() as { port: number };
        probe.close(() => resolve(free));
      });
    });
    await begin();
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    });
    page = await browser.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await kill();
  });

  const until = (what: (text: string) => unknown, text = "") =>
    page.waitForFunction(what, text, { timeout: 170_000 }).catch(async (error: Error) => {
      throw new Error(`${error.message}; the page says: ${await page.textContent("main")}`);
    });
  const state = (words: string) =>
    until(
      (wanted) => document.querySelector("main [role=status]")?.textContent?.includes(wanted),
      words,
    );
  const button = (name: string) => page.getByRole("button", { name, exact: true });

  test("its records are those of the same study from the command line", {
    timeout: 600_000,
  }, async () => {
    await page.goto(`http://127.0.0.1:${port}/#/start`);
    const say = (field: string, text: string) => page.getByLabel(field, { exact: true }).fill(text);
    await say("optimizers", "sgd@0.1, adam(beta1=0.8,beta2=0.99)@1e-3");
    await say("seeds", "0, 1");
    await say("epochs", String(FINISHED));
    await page.getByText("More", { exact: true }).click();
    for (const [field, text] of [
      ["data.size", "16"],
      ["data.limit", "90"],
      ["recipe.batch", "16"],
      ["threads", "1"],
    ] as const)
      await say(field, text);
    await until(() => document.querySelector("form pre")?.textContent?.includes("--threads 1"));
    const command = (await page.textContent("form pre"))!;
    expect(command).toBe(
      `lrscope compare synthetic --optimizers 'sgd@0.1,adam(beta1=0.8,beta2=0.99)@1e-3' --seeds 2 --epochs 10 --size 16 --limit 90 --batch 16 --jobs 1 --threads 1`,
    );
    await button("Start").click();
    await until(() => location.hash.startsWith("#/study/"));

    await until(() =>
      /[2-9] of 10|\d\d of 10/.test(document.querySelector("#trials tbody")?.textContent ?? ""),
    );
    await button("Pause").click();
    await state("paused");
    const [name] = readdirSync(within("runs"));
    const path = join(within("runs"), name!);
    const linesOf = (trial: string) => {
      const file = join(path, "trials", trial, "metrics.jsonl");
      return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
    };
    const lines = () => readdirSync(join(path, "trials")).map(linesOf);
    expect(Math.max(...lines())).toBeGreaterThan(1);

    await kill();
    await until(() => document.getElementById("said")!.textContent!.includes("does not answer"));
    await begin();
    await until(() => document.getElementById("said")!.textContent === "");
    await button("Resume").click();
    await state("running");
    await button("Stop").click();
    await state("stopped");
    await button("Resume").click();
    await state("running");
    // The process that trains outlives the server that began it.
    await kill();
    await begin();

    await page.getByText("Arms", { exact: true }).click();
    await button("Stop adam(beta1=0.8,beta2=0.99)@1e-3").click();
    await state("finished, 4 of 4");
    await page.getByText("Prolong", { exact: true }).first().click();
    await page.getByLabel("Epochs of each run, in all").fill(String(LONGER));
    await button("Prolong").click();
    await until(
      (epochs) =>
        document
          .querySelector("#trials tbody tr")
          ?.textContent?.includes(`done${epochs} of ${epochs}`),
      String(LONGER),
    );
    await state("finished");

    const asked = readFileSync(join(path, "steering.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).what);
    expect(asked).toEqual([
      ...["start", "pause", "resume", "stop", "resume", "stop-arm", "prolong"],
    ]);
    const alone = within("alone");
    const words = command.replace(/^lrscope | --epochs 10|'/g, "").split(" ");
    const { code, stderr } = await cli([
      ...words,
      "--epochs",
      String(LONGER),
      "--out",
      alone,
      "--quiet",
    ]);
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    const record = (folder: string) => {
      const { specification, protocol, arms, dataset, model } = JSON.parse(
        readFileSync(join(folder, "experiment.json"), "utf8"),
      );
      // What a form leaves out is the default, which a command line writes.
      const stepSize = { count: 4, unit: "epochs" };
      return { specification: { stepSize, ...specification }, protocol, arms, dataset, model };
    };
    expect(record(path)).toEqual(record(alone));
    const metrics = (folder: string, trial: string) => {
      const file = join(folder, "trials", trial, "metrics.jsonl");
      const text = existsSync(file) ? readFileSync(file, "utf8") : "";
      return text
        .split("\n")
        .slice(0, -1)
        .map((line) => ({ ...JSON.parse(line), seconds: 0 }));
    };
    for (const trial of readdirSync(join(path, "trials"))) {
      const [own, whole] = [metrics(path, trial), metrics(alone, trial)];
      if (trial.startsWith("sgd")) expect(own).toEqual(whole);
      else expect(own).toEqual(whole.slice(0, own.length));
      const last = (folder: string) =>
        readFileSync(join(folder, "trials", trial, "last.safetensors"));
      if (trial.startsWith("sgd")) expect(last(path).equals(last(alone))).toBe(true);
    }
    const found = await cli(["runs", path, "--json"]);
    expect(found.json<{ runs: { status: string }[] }>().runs[0]!.status).toBe("finished");
  });

  test("what would run a file, or is no study, is refused, and nothing is begun", async () => {
    const before = existsSync(within("runs")) ? readdirSync(within("runs")) : [];
    for (const [study, why] of [
      [{ model: "./net.ts" }, "cannot be named on a page"],
      [{ optimizers: ["./own.ts"] }, "cannot be named on a page"],
      [{ optimizers: ["sgd+./own.ts"] }, "cannot be named on a page"],
      [{ pretrained: "/tmp/x.pth" }, "cannot be named on a page"],
      [{ optimizers: ["adamant"] }, "adamant"],
      [{ epochs: 0 }, "epochs"],
      [{ out: "/tmp" }, "out"],
      [{ source: "/no/such/folder" }, "no/such/folder"],
    ] as const) {
      const whole = {
        formatVersion: 2,
        kind: "compare",
        source: "synthetic",
        optimizers: ["sgd"],
        seeds: [0],
        epochs: 1,
        ...study,
      };
      const answer = await fetch(`http://127.0.0.1:${port}/api/studies`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ study: whole }),
      });
      expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([
        400,
        expect.stringContaining(why),
      ]);
    }
    expect(existsSync(within("runs")) ? readdirSync(within("runs")) : []).toEqual(before);
  });
});
