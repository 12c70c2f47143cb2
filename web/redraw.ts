/**
 * @file A drawing in place of another: where both have the same elements, only those that differ are touched. Of a
 * chart with forty arms one has a new epoch; parsing and painting the others again would take most of an update.
 */

/** Each tag with the text after it. */
const tagsOf = (markup: string): string[] => markup.match(/<[^<]*/g) ?? [];

const nameOf = (tag: string): string => /^<(\/?\w+)/.exec(tag)?.[1] ?? "";

/**
 * What draws into an element that is empty: the markup that it is given takes the place of what was there. Others may
 * put elements behind it.
 */
export function redrawing(svg: SVGSVGElement): (markup: string) => void {
  let was: string[] = [];
  const holder = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  return (markup) => {
    const now = tagsOf(markup);
    const isAlike =
      was.length === now.length && now.every((tag, i) => nameOf(tag) === nameOf(was[i] ?? ""));
    const changed = isAlike ? now.flatMap((tag, i) => (tag === was[i] ? [] : [i])) : [];
    // Where an axis has changed so has nearly all, and one parse of it is quicker.
    if (!isAlike || changed.length > now.length / 4) svg.innerHTML = markup;
    else if (changed.length > 0) {
      const elements = svg.querySelectorAll("*");
      const places = placesOf(now);
      for (const i of changed) {
        holder.innerHTML = now[i] ?? "";
        const [from, to] = [holder.firstElementChild, elements[places[i] ?? -1]];
        if (from && to) copy(from, to);
      }
      holder.replaceChildren();
    }
    was = now;
  };
}

/** Of each tag that opens an element, which of all elements it is. */
function placesOf(tags: readonly string[]): number[] {
  let place = -1;
  return tags.map((tag) => {
    if (!tag.startsWith("</")) place += 1;
    return place;
  });
}

function copy(from: Element, to: Element): void {
  for (const name of to.getAttributeNames()) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes)
    if (to.getAttribute(name) !== value) to.setAttribute(name, value);
  if (to.childElementCount === 0 && to.textContent !== from.textContent)
    to.textContent = from.textContent;
}
