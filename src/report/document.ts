/** @file A whole page: head, header, sections one after another, footer, and the script that redraws figures. */

import { html, type Markup, trusted } from "./html.ts";
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
${conclusion && html`<p class="conclusion">${conclusion}</p>\n`}${details.length > 0 && html`<ul>${details.map((text) => html`<li>${text}</li>`)}</ul>`}</header>
${sections.map((section) => section && html`${section}\n`)}</main>
<footer>${footer}</footer>
<script>${trusted(pageScript())}</script></body></html>
`.text;
}
