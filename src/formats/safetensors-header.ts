/**
 * @file The JSON header of a safetensors file, gone through before it is parsed: JSON.parse takes of two
 * equal names the last, nests without end, and makes forty bytes of two. The format wants one level of
 * tensors below the names and one list below that, each name once, and whole numbers.
 */

import { MAXIMUM_DIMENSIONS, MAXIMUM_TENSORS, shownName } from "./limits.ts";

/** The header, a list in it. */
const MAXIMUM_DEPTH = 3;

/** Of a tensor, and of what may stand there that is ignored. */
const MAXIMUM_FIELDS = 16;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN = { list: 0x5b, object: 0x7b } as const;
const CLOSE = { list: 0x5d, object: 0x7d } as const;

/** An object or list that is not closed yet. */
interface Open {
  readonly kind: "list" | "object";
  /** Of an object. */
  readonly names: Set<string>;
  /** Commas in it. */
  commas: number;
  /** How many may be in it. */
  readonly most: number;
}

/**
 * Calls `refuse` with what no header may be. Says nothing of syntax: whatever passes is for JSON.parse.
 * Takes time in proportion to the text.
 */
export function checkHeaderText(text: string, refuse: (found: string) => never): void {
  const open: Open[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const inner = open.at(-1);
      if (inner?.kind === "object" && isFollowedByColon(text, end))
        takeName(inner, text.slice(at, end), refuse);
      at = end - 1;
    } else if (code === OPEN.list || code === OPEN.object) {
      if (open.length === MAXIMUM_DEPTH)
        refuse(`its header nests deeper than the ${MAXIMUM_DEPTH} levels of the format`);
      const kind = code === OPEN.list ? "list" : "object";
      open.push({ kind, names: new Set(), commas: 0, most: mostIn(kind, open, text, at) });
    } else if (code === CLOSE.list || code === CLOSE.object) {
      open.pop();
    } else if (code === COMMA) {
      const inner = open.at(-1);
      if (inner && ++inner.commas >= inner.most)
        refuse(
          inner.kind === "list"
            ? `a list in its header has more than ${inner.most} items`
            : `its header holds more than ${inner.most} entries`,
        );
    } else if (isInNumber(code)) {
      const end = endOfNumber(text, at);
      const number = text.slice(at, Math.min(end, at + 40));
      // What is a count, and not written as one: "2e0", "-0". The rest is refused with its tensor's name.
      if (Number.isInteger(Number(number)) && Number(number) >= 0 && !/^\d+$/.test(number))
        refuse(`its header has ${number} where the format has plain digits`);
      at = end - 1;
    }
  }
}

/** A tensor's object is told from the rest by its depth; __metadata__, at the same one, by its name. */
function mostIn(kind: Open["kind"], open: readonly Open[], text: string, at: number): number {
  if (kind === "list") return MAXIMUM_DIMENSIONS;
  if (open.length === 0) return MAXIMUM_TENSORS;
  return /"__metadata__"\s*:\s*$/.test(text.slice(Math.max(0, at - 64), at))
    ? MAXIMUM_TENSORS
    : MAXIMUM_FIELDS;
}

function takeName({ names }: Open, quoted: string, refuse: (found: string) => never): void {
  // Escapes make one name of several texts.
  const name = quoted.includes("\\") ? unescaped(quoted) : quoted.slice(1, -1);
  if (names.has(name)) refuse(`its header has ${shownName(name)} twice`);
  names.add(name);
}

function unescaped(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted;
  }
}

/** Position behind the closing quote, or the text's end. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

function isFollowedByColon(text: string, from: number): boolean {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return text.charCodeAt(at) === COLON;
}

const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** Digits and signs; letters but "e" belong to true, false and null. */
const isInNumber = (code: number) => (code >= 0x30 && code <= 0x39) || code === 0x2d;

function endOfNumber(text: string, start: number): number {
  let at = start;
  while (/[-+.\deE]/.test(text.charAt(at))) at++;
  return at;
}
