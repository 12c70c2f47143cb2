/** @file Elements made in a line. Texts go in as texts: nothing from a record becomes markup here. */

type Child = Node | string | null | undefined | false;

export interface Attributes {
  readonly [name: string]: string | number | boolean | null | undefined | ((event: Event) => void);
}

/** `element("button", { type: "button", onclick: press }, "Stop")`; an attribute that is null or false is left out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      made.setAttribute(name, value === true ? "" : String(value));
  append(made, children);
  return made;
}

export function append(parent: Element, children: readonly (Child | readonly Child[])[]): void {
  for (const child of children.flat()) if (child || child === "") parent.append(child);
}

/** Puts children in place of those that were there. */
export function fill(parent: Element, ...children: readonly (Child | readonly Child[])[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** A line at the foot of the page, which screen readers say. */
export function say(text: string): void {
  const line = document.getElementById("said");
  if (line && line.textContent !== text) line.textContent = text;
}

/** A table that scrolls sideways by itself where it is wider than the page, with what is in its head. */
export const scrollingTable = (
  { label, ...attributes }: Attributes & { readonly label: string },
  head: readonly HTMLTableCellElement[],
  body: HTMLTableSectionElement,
): HTMLElement =>
  element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
    element("table", attributes, element("thead", {}, element("tr", {}, head)), body),
  );
