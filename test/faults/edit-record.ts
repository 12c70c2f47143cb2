/** @file Ways in which a person, a program or a disk may change a file of records, drawn from a seed. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** Whole numbers 0 .. below-1, the same each time. Source: Steele, Lea, Flood 2014 (splitmix), 32 bits. */
export type Draw = (below: number) => number;

export function draws(seed: number): Draw {
  let state = seed;
  return (below) => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 0) % below;
  };
}

type Path = readonly (string | number)[];

/** Of every value within a value, itself aside. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const here = [...path, Array.isArray(value) ? Number(name) : name];
    return [here, ...pathsOf(inner, here)];
  });
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });

/** What may stand where something else stood; undefined: nothing. */
const VALUES: readonly unknown[] = [
  undefined,
  null,
  true,
  "text",
  "",
  "../../outside",
  "x".repeat(100_000),
  0,
  -1,
  0.5,
  3,
  1e15,
  1e308,
  [],
  [null],
  {},
  nested(500),
];

/** A JSON text with one of its values changed, and what was done. */
function editValue(text: string, draw: Draw): { text: string; what: string } {
  const whole = JSON.parse(text);
  const paths = pathsOf(whole);
  if (paths.length === 0) return { text: "{}", what: "emptied" };
  const path = paths[draw(paths.length)]!;
  const value = VALUES[draw(VALUES.length)];
  const holder = path.slice(0, -1).reduce((at, name) => at[name], whole);
  const last = path.at(-1)!;
  if (value === undefined) {
    if (Array.isArray(holder)) holder.splice(Number(last), 1);
    else delete holder[last];
  } else holder[last] = value;
  const shown = value === undefined ? "left out" : (JSON.stringify(value) ?? "").slice(0, 40);
  return { text: JSON.stringify(whole), what: `${path.join(".")}: ${shown}` };
}

/** Changes a file of JSON, or of a JSON text a line. @returns what was done to it */
export function editFile(file: string, draw: Draw): string {
  const text = readFileSync(file, "utf8");
  switch (draw(12)) {
    case 0:
      writeFileSync(file, text.slice(0, draw(text.length)));
      return "cut";
    case 1:
      writeFileSync(file, "");
      return "empty";
    case 2:
      writeFileSync(
        file,
        Uint8Array.from({ length: 200 }, () => draw(256)),
      );
      return "binary";
    case 3:
      rmSync(file);
      mkdirSync(file);
      return "a folder";
    case 4:
      writeFileSync(file, ["null\n", "[]\n", "7\n", '"text"\n', "{}\n", "[".repeat(1e5)][draw(6)]!);
      return "other JSON";
    case 5:
      rmSync(file);
      return "gone";
    default: {
      const lines = file.endsWith(".jsonl") ? text.trimEnd().split("\n") : [text];
      const index = draw(lines.length);
      const edited = editValue(lines[index]!, draw);
      lines[index] = edited.text;
      writeFileSync(file, `${lines.join("\n")}\n`);
      return edited.what;
    }
  }
}
