/** @file A real server of records on a disk, and pages that follow them: what tests of the live page begin with. */

import { createServer } from "node:net";
import type { Page } from "playwright-core";

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
