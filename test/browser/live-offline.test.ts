/**
 * @file What a page of the live page may load and run, in Chromium: nothing from elsewhere, and no script but the
 * client's files, whatever gets into the document. Needs Chromium; skipped where there is none.
 */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, serve } from "../../src/server/index.ts";
import { fakeComparison, fakeRangeTest } from "../report/fake-records.ts";
import { folderOfRuns, writePhotos, writeRun } from "../server/records.ts";
import { launched, noChromium } from "./chromium.ts";
import { idsOf, until } from "./live-browser.ts";

describe.skipIf(noChromium !== "")(`what the live page loads and runs${noChromium}`, () => {
  const runs = folderOfRuns();
  const chromium = launched();
  let server: RunningServer;
  let ids: ReadonlyMap<string, string>;
  let elsewhere: Server;
  /** What was asked of the other server. */
  const asked: string[] = [];

  beforeAll(async () => {
    const compared = writeRun(join(runs(), "compared"), fakeComparison({ epochs: 5 }));
    writePhotos(compared);
    writeRun(join(runs(), "other"), fakeComparison({ arms: ["rmsprop"], epochs: 4 }));
    const found = fakeComparison({ arms: ["sgd+clr"] });
    writeRun(join(runs(), "found"), {
      experiment: { ...found.experiment, kind: "find" },
      trials: [],
    }).writeText("range-test.json", JSON.stringify(fakeRangeTest()));
    server = await serve({ folders: [runs()] });
    ids = await idsOf(server.port);
    elsewhere = createServer(({ url = "" }, response) => {
      asked.push(url);
      response.setHeader("access-control-allow-origin", "*");
      response.setHeader("content-type", "text/javascript");
      response.end("document.title = 'foreign'");
    });
    await new Promise<void>((resolve) => {
      elsewhere.listen(0, "127.0.0.1", resolve);
    });
  });
  afterAll(async () => {
    await server?.close();
    elsewhere?.close();
  });

  const here = () => `http://127.0.0.1:${server.port}`;
  const PAGES: readonly (readonly [name: string, hash: () => string, there: string])[] = [
    ["studies", () => "", "tbody tr"],
    ["study", () => `#/study/${ids.get("compared")}`, ".mistakes img"],
    ["range test", () => `#/range-test/${ids.get("found")}`, ".draggable svg path"],
    ["schedules", () => "#/schedules", ".explorer svg path"],
    ["together", () => `#/together/${ids.get("compared")}/${ids.get("other")}`, "main table"],
    ["start", () => "#/start", "form pre:not(:empty)"],
    ["figure", () => `figure#/${ids.get("compared")}/loss-training`, ".chart svg path"],
  ];

  test.each(PAGES)(
    "%s asks for nothing from elsewhere, and for nothing in vain",
    async (_, hash, there) => {
      const page = await chromium.page();
      const requests: string[] = [];
      const failed: string[] = [];
      const said: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      page.on("response", (answer) => answer.status() >= 400 && failed.push(answer.url()));
      page.on("console", (message) => said.push(message.text()));
      page.on("pageerror", ({ message }) => said.push(message));
      await page.goto(`${here()}/${hash()}`);
      await until(page, (selector) => document.querySelector(selector), there);
      if (/#\/(study|range-test|schedules|together)\b/.test(hash()))
        await page.getByText("Export", { exact: true }).waitFor();
      expect(requests.length).toBeGreaterThan(3);
      const foreign = requests.filter(
        (url) => !url.startsWith(`${here()}/`) && !/^(data|blob):/.test(url),
      );
      expect(foreign).toEqual([]);
      expect([failed, said]).toEqual([[], []]);
    },
  );

  /** Whatever could bring a script, or a request, into a document: what each would do, and the rule against it. */
  const WAYS = {
    "an inline script": ["script-src-elem", `<script>document.title = "run"</script>`],
    "a handler in an attribute": [
      "script-src-attr",
      `<img src="data:," onerror="document.title = 'run'">`,
    ],
    "an address that is a script": [
      "script-src-elem",
      `<a href="javascript:document.title = 'run'">x</a>`,
    ],
    "a foreign script": ["script-src-elem", `<script src="ELSEWHERE/script.js"></script>`],
    "a script as data": [
      "script-src-elem",
      `<script src="data:text/javascript,document.title='run'"></script>`,
    ],
    "a foreign picture": ["img-src", `<img src="ELSEWHERE/picture.png">`],
    "a foreign frame": ["frame-src", `<iframe src="ELSEWHERE/frame"></iframe>`],
    "a foreign style sheet": [
      "style-src-elem",
      `<link rel="stylesheet" href="ELSEWHERE/style.css">`,
    ],
    "a rule of style": ["style-src-elem", "<style>body { display: none }</style>"],
    "a plugin": ["object-src", `<object data="ELSEWHERE/object"></object>`],
    "another base": ["base-uri", `<base href="ELSEWHERE/">`],
    "a form that is sent": [
      "form-action",
      `<form action="ELSEWHERE/form"><button>x</button></form>`,
    ],
  } as const;

  test.each(Object.entries(WAYS))("%s is blocked", async (_, [rule, markup]) => {
    const page = await chromium.page();
    await page.goto(`${here()}/#/schedules`);
    await until(page, () => document.querySelector(".explorer svg path"));
    const { port } = elsewhere.address() as AddressInfo;
    const blocked = await put(page, markup.replace("ELSEWHERE", `http://127.0.0.1:${port}`));
    expect(blocked).toContain(rule);
    expect(asked).toEqual([]);
    // In the place of a page that may not send its form, Chromium puts one of its own.
    if (rule === "form-action") return;
    expect(await page.title()).toBe("Schedules · lrscope");
    expect(await page.locator("h1").isVisible()).toBe(true);
    expect(new URL(page.url()).origin).toBe(here());
  });

  /** Puts markup into the page, presses what it has to press, and says which rules were in its way. */
  const put = (page: Page, markup: string): Promise<string[]> =>
    page.evaluate(
      (text) =>
        new Promise<string[]>((resolve) => {
          const rules: string[] = [];
          document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
            rules.push(effectiveDirective);
            setTimeout(() => resolve(rules));
          });
          // Parsed as a document would be: what is set by innerHTML runs no script anyway.
          const made = document.createRange().createContextualFragment(text);
          const pressed = made.querySelectorAll<HTMLElement>("a, button");
          document.body.append(made);
          for (const each of pressed) each.click();
        }),
      markup,
    );

  test("nothing is fetched from elsewhere, and no text becomes code", async () => {
    const page = await chromium.page();
    await page.goto(`${here()}/#/schedules`);
    await until(page, () => document.querySelector(".explorer svg path"));
    const { port } = elsewhere.address() as AddressInfo;
    const outcomes = await page.evaluate(async (address) => {
      const of = async (work: () => unknown) => {
        try {
          await work();
          return "done";
        } catch (error) {
          return (error as Error).name;
        }
      };
      return [
        await of(() => fetch(`${address}/fetched`)),
        // Of the page's own accord: what a debugger runs is above the policy.
        await new Promise((resolve) => {
          setTimeout(() => resolve(of(() => new Function("return 1")())));
        }),
      ];
    }, `http://127.0.0.1:${port}`);
    expect([outcomes, asked]).toEqual([["TypeError", "EvalError"], []]);
  });
});
