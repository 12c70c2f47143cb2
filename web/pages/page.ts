/** @file What a page is: an element that is made once, changed as its address changes, and taken away. */

import type { SharedEvents } from "../shared-events.ts";

export interface PageContext {
  /** What the path names, after the page. */
  readonly parts: readonly string[];
  readonly state: URLSearchParams;
  readonly events: SharedEvents;
}

export interface Page {
  readonly title: string;
  readonly root: HTMLElement;
  /** Ends what it follows. */
  close(): void;
}

export type OpenPage = (context: PageContext) => Page | Promise<Page>;
