/** @file A whole page: head, header, sections one after another, footer, and the script that redraws figures. */

import { html, type Interpolation, type Markup, trusted } from "./html.ts";
import { pageScript } from "./live/script.ts";
import { styleSheet } from "./style.ts";

export interface DocumentParts {
  readonly title: string;
  /** The line above the headline: what it is about. */
  readonly kicker: string;
  readonly headline: string;
  readonly conclusion: string | null;
  /** Lines of their own under it. */
  readonly details: readonly string[];
  /** Those that are null are left out. */
  readonly sections: readonly (Markup | null)[];
  readonly footer: string;
}

/** Self-contained: it asks for nothing outside itself. */
export function documentOf(parts: DocumentParts): string {
  const { title, kicker, headline, conclusion, details, sections, footer } = parts;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title}</title><style>${trusted(styleSheet)}</style></head>
<body><main>
<header><p class="kicker">${kicker}</p>
<h1>${headline}</h1>
${conclusion && html`<p class="conclusion">${flagsWhole(conclusion)}</p>\n`}${details.length > 0 && html`<ul>${details.map((text) => html`<li>${flagsWhole(text)}</li>`)}</ul>`}</header>
${contents(sections)}
${sections.map((section) => section && html`${section}\n`)}</main>
<footer>${footer}</footer>
<script>${trusted(pageScript())}</script></body></html>
`.text;
}

/** A flag with its value, which no line is broken in: a browser breaks behind hyphens. */
const flagsWhole = (text: string): Interpolation[] =>
  text
    .split(/(--[a-z][a-z-]*(?: \d(?:[\d.e-]*\d)?)?)/)
    .map((part, i) => (i % 2 === 1 ? html`<span class="flag">${part}</span>` : part));

/** Links to the sections that there are, by the headings that they have. */
function contents(sections: readonly (Markup | null)[]): Markup {
  const entries = sections.flatMap((section) => {
    const [, id, heading] =
      /^<section id="([^"]+)"><h2>(.*?)<\/h2>/.exec(section?.text ?? "") ?? [];
    return id === undefined || heading === undefined ? [] : [{ id, heading }];
  });
  return html`<nav class="contents" aria-labelledby="contents"><h2 id="contents">Contents</h2><ol>${entries.map(
    ({ id, heading }) => html`<li><a href="#${id}">${trusted(heading)}</a></li>`,
  )}</ol></nav>`;
}
