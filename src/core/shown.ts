/** @file A value as an error shows it: short, whatever it is. */

/** Characters of a value that are shown. */
const MOST_CHARACTERS = 200;

/** A text as it is, or its beginning and how long it is. */
export function shortened(text: string, most = MOST_CHARACTERS): string {
  return text.length <= most ? text : `${text.slice(0, most)}... (${text.length} characters)`;
}

/** A string in quotes, a number with its sign, all else as JSON where it has one. Never throws. */
export function shown(value: unknown): string {
  if (typeof value === "string") return `"${shortened(value)}"`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return shortened(String(value));
  try {
    return shortened(JSON.stringify(value) ?? String(value));
  } catch {
    // A value within itself, or nested deeper than the stack.
    return Array.isArray(value) ? "a list that cannot be shown" : "an object that cannot be shown";
  }
}
