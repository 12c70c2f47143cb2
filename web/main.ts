/** @file The page's beginning: the session, the stream, and whichever page the address names. */

import { addressOf } from "./address.ts";
import { openSession } from "./api.ts";
import { element, fill, say } from "./element.ts";
import type { OpenPage, Page } from "./pages/page.ts";
import { openStudies } from "./pages/studies.ts";
import { type Lost, sharedEvents } from "./shared-events.ts";

/** By the first word of the address; each but the first is loaded when it is opened. */
const PAGES: Readonly<Record<string, { readonly link?: string; load(): Promise<OpenPage> }>> = {
  studies: { link: "Studies", load: async () => openStudies },
  start: { link: "Start a study", load: async () => (await import("./pages/start.ts")).openStart },
  schedules: {
    link: "Schedules",
    load: async () => (await import("./pages/schedules.ts")).openSchedules,
  },
  "range-test": { load: async () => (await import("./pages/range-test.ts")).openRangeTest },
  together: { load: async () => (await import("./pages/together.ts")).openTogether },
  study: { load: async () => (await import("./pages/study.ts")).openStudy },
};

const LOST: Readonly<Record<Lost, string>> = {
  "": "",
  away: "The server does not answer; trying again.",
  refused: "The server does not follow what is shown here any more; trying again.",
};

const places = document.getElementById("places");
const main = document.getElementById("page");
let page: Page | null = null;
/** Counts the openings, so that one which is overtaken by another is given up. */
let opening = 0;

await openSession().catch((error: Error) => say(error.message));
const events = sharedEvents((lost) => say(LOST[lost]));

/** @param moved from another page: whoever does not see that it has changed is told by the focus */
async function open(moved: boolean): Promise<void> {
  const mine = ++opening;
  const { path, state } = addressOf(location.hash);
  const [name = "studies", ...parts] = path;
  const known = PAGES[name] ?? PAGES.studies;
  page?.close();
  page = null;
  if (!known || !main) return;
  if (name === "study" && parts[0] !== undefined) events.expect(parts[0]);
  try {
    const openPage = await known.load();
    if (mine !== opening) return;
    page = await openPage({ parts, state, events });
    document.title = `${page.title} · lrscope`;
    main.setAttribute("aria-label", page.title);
    fill(main, page.root);
    if (moved) main.focus({ preventScroll: true });
  } catch (error) {
    fill(
      main,
      element(
        "p",
        { class: "warn", role: "alert" },
        `This page cannot be shown: ${(error as Error).message}`,
      ),
    );
  }
  for (const link of places?.querySelectorAll("a") ?? [])
    if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
}

if (places)
  fill(
    places,
    element("a", { class: "name", href: "#/studies" }, "lrscope"),
    Object.entries(PAGES).map(
      ([name, { link }]) => link !== undefined && element("a", { href: `#/${name}` }, link),
    ),
  );
// Its address would be that of another page.
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  main?.focus();
});
addEventListener("hashchange", () => void open(true));
void open(false);
