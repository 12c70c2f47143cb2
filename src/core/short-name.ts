/** @file Names cut to a length: for a file system, still their own; for a reader, with their ends. */

/**
 * The name as it is, or its beginning and a hash of all of it: "sgd-sequence_1-7f3a09c2". Names that differ
 * anywhere stay apart.
 * @param most characters of the result, 10 or more
 */
export function shortName(name: string, most: number): string {
  if (name.length <= most) return name;
  return `${name.slice(0, most - 9)}-${hash32(name).toString(16).padStart(8, "0")}`;
}

/** FNV-1a, 32 bits, over UTF-16 units: isthe.com/chongo/tech/comp/fnv */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Beginning and end, by whole letters: "sgd+piece…0.01)". */
export function cutInTheMiddle(text: string, most: number): string {
  const letters = [...text];
  if (letters.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  const tail = letters.slice(letters.length - (most - 1 - head));
  return [...letters.slice(0, head), "…", ...tail].join("");
}
