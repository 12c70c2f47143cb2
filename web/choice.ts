/** @file Controls of which one of several is chosen, or one thing is on or off; each keeps its own face. */

import { element } from "./element.ts";

export interface Choice<T extends string> {
  readonly label: string;
  readonly all: readonly T[];
  /** What a button says. */
  said(each: T): string;
  chosen(): T;
  set(to: T): void;
}

/** A row of buttons, one of them pressed. */
export function choice<T extends string>({ label, all, said, chosen, set }: Choice<T>) {
  const row = element("div", { class: "choice", role: "group", "aria-label": label });
  for (const each of all)
    row.append(
      element(
        "button",
        {
          type: "button",
          "data-choice": each,
          "aria-pressed": String(each === chosen()),
          onclick: () => {
            set(each);
            for (const other of row.children)
              other.setAttribute(
                "aria-pressed",
                String(other.getAttribute("data-choice") === each),
              );
          },
        },
        said(each),
      ),
    );
  return row;
}

/** A box that is ticked or not, and its words. */
export function check(text: string, checked: boolean, set: (to: boolean) => void): HTMLElement {
  const box = element("input", { type: "checkbox", checked, onchange: () => set(box.checked) });
  return element("label", { class: "check" }, box, " ", text);
}
