/**
 * @file A drawing in place of another: where both have the same elements, only those that differ are touched. Of a
 * chart with forty arms one has a new epoch; parsing and painting the others again would take most of an update.
 */

/** Each tag with the text after it. */
const tagsOf = (markup: string): string[] => markup.match(/<[^<]*/g) ?? [];

const nameOf = (tag: string): string => /^<(\/?\w+)/.exec(tag)?.[1] ?? "";

/**
 * Makes the element's markup be `after`; it is `before` now, with at most more elements behind it.
 * @param before "" of an empty element
 */
export function redraw(svg: SVGSVGElement, before: string, after: string): void {
  if (before === after) return;
  const [was, now] = [tagsOf(before), tagsOf(after)];
  const isAlike =
    was.length === now.length && now.every((tag, i) => nameOf(tag) === nameOf(was[i] ?? ""));
  if (!isAlike) {
    svg.innerHTML = after;
    return;
  }
  const elements = svg.querySelectorAll("*");
  const holder = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  let place = -1;
  for (const [i, tag] of now.entries()) {
    if (tag.startsWith("</")) continue;
    place += 1;
    if (tag === was[i]) continue;
    holder.innerHTML = tag;
    const [from, to] = [holder.firstElementChild, elements[place]];
    if (from && to) copy(from, to);
  }
}

function copy(from: Element, to: Element): void {
  for (const name of to.getAttributeNames()) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes)
    if (to.getAttribute(name) !== value) to.setAttribute(name, value);
  if (to.childElementCount === 0 && to.textContent !== from.textContent)
    to.textContent = from.textContent;
}
