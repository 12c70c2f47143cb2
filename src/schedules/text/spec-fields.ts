/** @file The fields of a specification, read by name and kind; says which one is wrong. */

import { ArgumentError } from "../../core/errors.ts";
import { shortened, shown } from "../../core/shown.ts";
import type { Schedule, ScheduleSpec } from "../schedule.ts";

type Optional<Name extends string, T> = { [key in Name]?: T };

/**
 * Reads the fields of one specification. Each reading makes a field known, so that `refuseOthers`
 * can tell a slip of the pen.
 */
export class SpecFields {
  readonly #spec: ScheduleSpec;
  readonly #known: string[] = [];
  readonly #read: (spec: ScheduleSpec) => Schedule;

  constructor(spec: ScheduleSpec, read: (spec: ScheduleSpec) => Schedule) {
    this.#spec = spec;
    this.#read = read;
  }

  #value(name: string): unknown {
    this.#known.push(name);
    return this.#spec[name];
  }

  #refuse(name: string, rule: string): never {
    if (this.#spec[name] === undefined) {
      // What is there shows a slip of the pen, too.
      const there = Object.keys(this.#spec).filter((key) => key !== "type");
      throw new ArgumentError(
        `schedule "${this.#spec.type}": ${name} is missing, ${rule}; given: ${shortened(there.join(", ")) || "nothing"}`,
      );
    }
    throw new ArgumentError(
      `schedule "${this.#spec.type}": ${name} must be ${rule}; got ${shown(this.#spec[name])}`,
    );
  }

  number(name: string): number {
    const value = this.#value(name);
    return typeof value === "number" ? value : this.#refuse(name, "a number");
  }

  /** Those of the names that are there. */
  numbers<Name extends string>(...names: Name[]): Optional<Name, number> {
    return this.#present(names, (name) => this.number(name));
  }

  /** Those of the names that are there; which words they may be is the family's to check. */
  words<Name extends string>(...names: Name[]): Optional<Name, never> {
    return this.#present(names, (name) => {
      const value = this.#value(name);
      return typeof value === "string" ? (value as never) : this.#refuse(name, "a word");
    });
  }

  #present<Name extends string, T>(names: Name[], read: (name: Name) => T): Optional<Name, T> {
    this.#known.push(...names);
    const there = names.filter((name) => this.#spec[name] !== undefined);
    return Object.fromEntries(there.map((name) => [name, read(name)])) as Optional<Name, T>;
  }

  list(name: string): number[] {
    const value = this.#value(name);
    return isNumbers(value) ? value : this.#refuse(name, "a list of numbers");
  }

  pairs(name: string): [number, number][] {
    const value = this.#value(name);
    const good =
      Array.isArray(value) && value.every((pair) => isNumbers(pair) && pair.length === 2);
    return good ? value : this.#refuse(name, "a list of [update, rate] pairs");
  }

  /** The schedule that a combinator is applied to. */
  schedule(name = "schedule"): Schedule {
    return this.#read(this.#value(name) as ScheduleSpec);
  }

  parts(): (readonly [steps: number, schedule: Schedule, from: number])[] {
    const parts = this.#value("parts");
    if (!Array.isArray(parts)) this.#refuse("parts", "a list");
    return parts.map((part: { steps: number; schedule: ScheduleSpec; from?: number } | null) => [
      part?.steps ?? Number.NaN,
      this.#read(part?.schedule as ScheduleSpec),
      part?.from ?? 0,
    ]);
  }

  /** @throws ArgumentError if the specification has a field that nobody asked for. */
  refuseOthers(): void {
    const known = [...new Set(this.#known)];
    const other = Object.keys(this.#spec).find((name) => name !== "type" && !known.includes(name));
    if (other !== undefined)
      throw new ArgumentError(
        `schedule: "${this.#spec.type}" has no ${shown(other)}; it has ${known.join(", ")}`,
      );
  }
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => typeof item === "number");
