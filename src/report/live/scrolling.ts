/** @file Which tables say that they scroll: those that are wider than their place. Its text goes into the page (script.ts). */

/** Marks the line above each table by whether it is needed, now and as the window changes. Runs in a browser. */
export function markScrolling(): void {
  const mark = () => {
    for (const table of document.querySelectorAll<HTMLElement>(".scroll")) {
      const hint = table.previousElementSibling;
      if (hint?.classList.contains("hint"))
        hint.classList.toggle("needed", table.scrollWidth > table.clientWidth + 1);
    }
  };
  mark();
  window.addEventListener("resize", mark);
  // A table in what is folded has no width before that is opened.
  document.addEventListener("toggle", mark, true);
}
