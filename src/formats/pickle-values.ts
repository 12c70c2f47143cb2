/**
 * @file What a pickle can be made of here. Dictionaries and sets are lists of what was put into them: keys
 * that a hostile file chooses so that they collide in a hash table cost nothing then.
 */

import { WeightsError } from "../core/errors.ts";
import { MAXIMUM_PICKLED_BYTES } from "./limits.ts";

/** A tuple is an array that says so. */
export class PyTuple {
  readonly items: readonly PyValue[];
  constructor(items: readonly PyValue[]) {
    this.items = items;
  }
}

export class PySet {
  readonly items: PyValue[] = [];
}

export class PyDict {
  /** In the order in which they were put; a key may be there several times, and the last counts. */
  readonly entries: (readonly [key: PyValue, value: PyValue])[] = [];

  /** The entries whose key is text. */
  texts(): Map<string, PyValue> {
    const found = new Map<string, PyValue>();
    for (const [key, value] of this.entries) if (typeof key === "string") found.set(key, value);
    return found;
  }
}

/** What a name stands for: a value of its own, or a function that may be called. */
export class PyName {
  readonly name: string;
  readonly call: ((args: readonly PyValue[]) => PyValue) | undefined;
  constructor(name: string, call?: (args: readonly PyValue[]) => PyValue) {
    this.name = name;
    this.call = call;
  }
}

/** Anything that the caller's functions make. */
export interface PyObject {
  readonly kind: string;
}

export type PyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PyValue[]
  | PyTuple
  | PyDict
  | PySet
  | PyName
  | PyObject;

/** Bytes that things take in memory, roughly and from above. */
export const COST = {
  instruction: 16,
  container: 256,
  item: 16,
  entry: 96,
  text: (length: number) => 32 + 2 * length,
} as const;

/** Counts what the pickles of one file build: an instruction of one byte can make an object of 200. */
export class PickleBudget {
  private left = MAXIMUM_PICKLED_BYTES;
  private readonly subject: string;

  constructor(subject: string) {
    this.subject = subject;
  }

  /** To be called before the memory is taken. @throws WeightsError where the file had its share */
  spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0)
      throw new WeightsError(
        `${this.subject}: its pickle would build more than ${MAXIMUM_PICKLED_BYTES / 2 ** 20} MiB of objects beside the tensors' values; save the state_dict alone: torch.save(model.state_dict(), path)`,
      );
  }
}
