/** @file A template tag that escapes: text from records never becomes markup. */

/** A piece of finished markup. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/**
 * Without control characters, which XML does not have even escaped, and without what turns the order of the
 * letters after it round; a file's name may have both.
 */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

/** Text made safe inside elements and quoted attributes, in HTML and in XML. */
export function escapeText(text: string): string {
  return printable(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Markup that is already safe: our own, or drawn by the chart library, which escapes its text. */
export const trusted = (text: string) => new Markup(text);

export type Interpolation = Markup | string | number | null | undefined | false;

/** Markup from a template: every value is escaped, but Markup and lists of it go in as they are. */
export function html(
  strings: TemplateStringsArray,
  ...values: readonly (Interpolation | readonly Interpolation[])[]
): Markup {
  const shown = (value: Interpolation | readonly Interpolation[]): string => {
    if (Array.isArray(value)) return value.map(shown).join("");
    if (value instanceof Markup) return value.text;
    return value === null || value === undefined || value === false
      ? ""
      : escapeText(String(value));
  };
  return new Markup(strings.reduce((text, part, i) => text + shown(values[i - 1]) + part));
}
