/** @file Debian's Chromium for tests of pages, one browser a file; why there is none where there is none. */

import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);

/** For a test's name; "" where there is one. */
export const noChromium = executablePath ? "" : " (skipped: no Chromium at /usr/bin/chromium)";

export interface PageOptions {
  readonly width?: number;
  readonly dark?: boolean;
}

/** A browser for the tests of a group; pages are closed after each. */
export function launched(): { page(options?: PageOptions): Promise<Page> } {
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    });
  });
  afterEach(() => Promise.all(contexts.splice(0).map((context) => context.close())));
  afterAll(() => browser?.close());
  return {
    async page({ width = 1400, dark = false } = {}) {
      const context = await browser.newContext({
        ...{ viewport: { width, height: 900 }, colorScheme: dark ? "dark" : "light" },
      });
      contexts.push(context);
      const page = await context.newPage();
      page.setDefaultTimeout(50_000);
      return page;
    },
  };
}
