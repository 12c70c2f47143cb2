/** @file A study in the list, as the server tells it. */

export interface ListedStudy {
  readonly id: string;
  readonly name: string;
  readonly status: "running" | "finished" | "unfinished" | "failed" | "damaged";
  readonly reason: string | null;
  readonly about: {
    readonly kind: "demo" | "find" | "train" | "compare";
    readonly created: string;
    readonly dataset: string;
    readonly model: string;
    readonly arms: readonly string[];
    readonly seeds: number;
    readonly epochs: number;
    readonly runs: number;
    readonly done: number;
    readonly best: { readonly arm: string; readonly accuracy: number } | null;
    readonly rate: number | null;
  } | null;
  readonly note: string;
  readonly tags: readonly string[];
  readonly bytes: number;
  readonly weightBytes: number;
}
