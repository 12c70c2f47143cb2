/**
 * @file Names of files as text. A POSIX name is bytes; those that are no UTF-8 would become U+FFFD, and the
 * file could never be opened again. As Python's "surrogateescape" (PEP 383) has it, each such byte stands as
 * a lone surrogate, U+DC80 to U+DCFF, from which the bytes come back.
 */

import { isUtf8 } from "node:buffer";

const LONE = /(?<![\ud800-\udbff])[\udc80-\udcff]/g;
const FIRST = 0xdc00;

/** A name, or a path, of bytes as a file system gives them. */
export function nameOfBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString("utf8");
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    text +=
      length === 0
        ? String.fromCharCode(FIRST + (bytes[at] ?? 0))
        : bytes.toString("utf8", at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

/** Bytes of the UTF-8 sequence that begins here; 0 where none does. */
function sequenceLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++)
    if (isUtf8(bytes.subarray(at, at + length))) return length;
  return 0;
}

/** What functions on files take for such a name or path: bytes, where it is no UTF-8. */
export function pathOfName(name: string): string | Buffer {
  if (name.search(LONE) < 0) return name;
  const parts: Buffer[] = [];
  let from = 0;
  for (const match of name.matchAll(LONE)) {
    parts.push(Buffer.from(name.slice(from, match.index), "utf8"));
    parts.push(Buffer.of(match[0].charCodeAt(0) - FIRST));
    from = match.index + 1;
  }
  parts.push(Buffer.from(name.slice(from), "utf8"));
  return Buffer.concat(parts);
}

/** The name for people and records, each byte that is no UTF-8 written out: "Caf\xe9". */
export const legibleName = (name: string): string =>
  name.replace(LONE, (byte) => `\\x${(byte.charCodeAt(0) - FIRST).toString(16)}`);
