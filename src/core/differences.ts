/** @file Where two records differ, in words. */

/** How many differences are named. */
const NAMED = 4;

/**
 * The first few places at which two JSON values differ: `["batch is 32, not 64"]`; none where they are
 * alike. A key whose value is undefined counts as absent.
 */
export function differences(recorded: unknown, found: unknown, name = ""): string[] {
  return walk(recorded, found, name).slice(0, NAMED);
}

function walk(recorded: unknown, found: unknown, name: string): string[] {
  if (isObject(recorded) && isObject(found)) {
    if (Array.isArray(recorded) && Array.isArray(found) && recorded.length !== found.length)
      return [`${name} has ${found.length} entries, not ${recorded.length}`];
    return [...new Set([...Object.keys(recorded), ...Object.keys(found)])].flatMap((key) =>
      walk(recorded[key], found[key], name === "" ? key : `${name}.${key}`),
    );
  }
  if (Object.is(recorded, found)) return [];
  return [`${name} is ${words(found)}, not ${words(recorded)}`];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

function words(value: unknown): string {
  if (value === undefined) return "absent";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
