/** @file Debian's Chromium, and why there is none where there is none; for tests and for bench/paint.ts. */

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);

/** For a test's name; "" where there is one. */
export const noChromium = executablePath ? "" : " (skipped: no Chromium at /usr/bin/chromium)";

/** Without what a browser does of its own accord. */
export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: executablePath ?? "",
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ],
  });
