/** @file What a screen reader is given of a page: Chromium's own accessibility tree, as far as the tests read it. */

import type { Page } from "playwright-core";

export interface Spoken {
  readonly role: string;
  readonly name: string;
  readonly description: string;
  /** "pressed", "value", "live", ...; only those that are set. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Every node that is not passed over. */
export async function spokenOf(page: Page): Promise<Spoken[]> {
  const session = await page.context().newCDPSession(page);
  try {
    const { nodes } = await session.send("Accessibility.getFullAXTree");
    return nodes
      .filter(({ ignored }) => !ignored)
      .map(({ role, name, description, value, properties = [] }) => ({
        role: String(role?.value ?? ""),
        name: String(name?.value ?? "").trim(),
        description: String(description?.value ?? "").trim(),
        properties: {
          ...Object.fromEntries(properties.map((each) => [each.name, each.value.value])),
          ...(value ? { value: value.value } : {}),
        },
      }));
  } finally {
    await session.detach();
  }
}

declare global {
  /** What live regions have said since `listen`. */
  var said: string[] | undefined;
}

/**
 * Notes whatever a live region says from now on, as a screen reader would: a text that has changed within one, and not
 * one that is taken away, or that is in a place which is hidden.
 */
export const listen = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const said: string[] = [];
    globalThis.said = said;
    const LIVE =
      "[role=status], [role=alert], [role=log], [aria-live]:not([aria-live=off]), output";
    const hear = (node: Node) => {
      const within = node instanceof Element ? node : node.parentElement;
      const region = within?.closest(LIVE);
      if (!region?.isConnected || region.closest("[hidden], [aria-hidden=true]")) return;
      const text = region.textContent?.trim() ?? "";
      if (text !== "" && said.at(-1) !== text) said.push(text);
    };
    new MutationObserver((changes) => {
      for (const { target } of changes) hear(target);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });

export const heardOn = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => globalThis.said ?? []);
