/** @file Chromium over a real server of records on a disk: what tests of the live page begin with. */

import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);

export const hasChromium = executablePath !== undefined;
/** Behind the name of what is skipped. */
export const why = hasChromium ? "" : " (skipped: no Chromium at /usr/bin/chromium)";

/** Without what a browser does of its own accord. */
export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: executablePath ?? "",
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });

/** A port that nobody has, for a server that comes back to it. */
export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });

/** Resolves when the page holds for true; a page that never does ends by this time, or the test's own. */
export const until = (page: Page, what: (argument: string) => unknown, argument = "") =>
  page.waitForFunction(what, argument, { timeout: 50_000 });

/** Ids of the studies that a server lists, by name. */
export async function idsOf(port: number): Promise<ReadonlyMap<string, string>> {
  const { studies } = (await (await fetch(`http://127.0.0.1:${port}/api/studies`)).json()) as {
    studies: { id: string; name: string }[];
  };
  return new Map(studies.map(({ id, name }) => [name, id]));
}

/** Keeps a picture of the whole page for people to look at, where LRSCOPE_PICTURES names a folder for them. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.LRSCOPE_PICTURES;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name.replaceAll(" ", "-")}.png`), fullPage: true });
}
