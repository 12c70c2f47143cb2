/** @file Values of flags as they are typed: what the readers of cli/flags/values.ts read back. */

import { InternalError } from "../core/errors.ts";

/**
 * The words of flags by camel-case name: `{ maxLr: 0.1, samples: false }` are `--max-lr 0.1 --no-samples`.
 * true is a switch, false one that begins with "no-".
 */
export const flagWords = (flags: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(flags).flatMap(([key, value]) => {
    const name = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (typeof value === "boolean") return [`--${value ? "" : "no-"}${name}`];
    return [`--${name}`, written(value)];
  });

/** Lists by commas, scales as name=number, modules as name@epoch, spans as 216 or 4e. */
function written(value: unknown): string {
  if (Array.isArray(value)) return value.map(written).join(",");
  if (typeof value === "string") return value;
  if (typeof value === "number") return numberWord(value);
  const parts = value as Readonly<Record<string, unknown>>;
  if ("scale" in parts) return `${parts.name}=${written(parts.scale)}`;
  if ("epoch" in parts) return `${parts.from}@${parts.epoch}`;
  if ("unit" in parts) return `${written(parts.count)}${parts.unit === "epochs" ? "e" : ""}`;
  throw new InternalError(`a flag's value has no words: ${JSON.stringify(value)}`);
}

/** The shorter of the two exact ways to write a number: 0.001 as 1e-3. Whole numbers are counts, and stay. */
export function numberWord(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const scientific = value.toExponential().replace("e+", "e");
  const plain = String(value);
  return scientific.length < plain.length ? scientific : plain;
}
