/** @file A check that text is well-formed XML, as far as our figures use it. */

const TOKEN = /<\/([\w:-]+)\s*>|<([\w:-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;

/** What is wrong with it, or null. */
export function xmlFault(text: string): string | null {
  const open: string[] = [];
  let at = 0;
  TOKEN.lastIndex = 0;
  while (at < text.length) {
    const match = TOKEN.exec(text);
    if (!match) return `no token at ${at}: ${text.slice(at, at + 60)}`;
    at = TOKEN.lastIndex;
    const [token, closes, opens, , empty, characters] = match;
    if (/&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.test(token)) return `bare & in ${token.slice(0, 60)}`;
    if (/[^\P{Cc}\t\n\r]/u.test(token)) return `control character in ${token.slice(0, 60)}`;
    if (opens && !empty) open.push(opens);
    if (closes && open.pop() !== closes) return `</${closes}> closes nothing`;
    if (characters?.trim() && open.length === 0) return `text outside the root: ${characters}`;
  }
  return open.length > 0 ? `not closed: ${open.join(", ")}` : null;
}
