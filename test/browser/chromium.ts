/** @file One browser for the tests of a file, and its pages. */

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { launch } from "./launch.ts";

export { noChromium } from "./launch.ts";

export interface PageOptions {
  readonly width?: number;
  readonly dark?: boolean;
}

/** A browser for the tests of a group; pages are closed after each. */
export function launched(): { page(options?: PageOptions): Promise<Page> } {
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  beforeAll(async () => {
    browser = await launch();
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
