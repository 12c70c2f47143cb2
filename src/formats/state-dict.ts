/**
 * @file Which of a PyTorch file's dictionaries is the state_dict: training scripts save it beside epochs, scores,
 * the optimizer's state and the random generator's, under a key of their own, once or twice nested, and
 * often with a running average of the weights beside it.
 */

import { shownText } from "./limits.ts";
import { findNames, withoutWrappers } from "./parameter-names.ts";
import { PyDict, type PyValue } from "./pickle-values.ts";
import { isTensor, type TensorReference } from "./torch-tensors.ts";

/** Tensors by name, and where in the file they lie. */
export interface StateDict {
  /** Keys from the file's top, joined by dots; "" at the top. */
  readonly part: string;
  readonly tensors: ReadonlyMap<string, TensorReference>;
}

/** Keys under which training scripts keep the state_dict, the usual first. */
const USUAL = [
  ...["state_dict", "model_state_dict", "model_state", "model", "net", "network", "module"],
  ...["weights", "params", "model_ema", "state_dict_ema", "model_ema_state_dict"],
  ...["ema_state_dict", "params_ema", "ema", "teacher"],
];

/** Averages of the weights come after the weights, where a file has both. */
const AVERAGES = /(^|_)(ema|teacher|shadow|averaged?)(_|$)/;

/** What optimizers keep for a parameter has the parameter's name, too. */
const NO_WEIGHTS = /optim|sched|scaler/i;

/** {"checkpoint": {"model": {"module": {...}}}} */
const DEEPEST = 4;

/** Dictionaries of tensors that are looked at: a file of weights has few. */
const MOST_CANDIDATES = 256;

interface Candidate {
  readonly path: readonly string[];
  readonly tensors: ReadonlyMap<string, TensorReference>;
  /** Tensors that can be weights. */
  readonly weights: number;
}

/**
 * Every dictionary that can be a state_dict, likeliest first. Where the names of a network's parameters are
 * given, the one that holds most of them; else the one under a usual key, before the file's top, before any other.
 */
export function stateDicts(root: PyValue, wanted?: ReadonlySet<string>): readonly StateDict[] {
  const candidates = dictionaries(root);
  const likely = candidates.filter(({ weights }) => weights > 0);
  const most = candidates.reduce((greatest, { weights }) => Math.max(greatest, weights), 0);
  const ranked = (likely.length > 0 ? likely : candidates).map((candidate, order) => ({
    candidate,
    rank: [
      wanted ? -findNames(withoutWrappers(candidate.tensors).keys(), wanted).found : 0,
      ...likelihood(candidate, most),
      order,
    ],
  }));
  return ranked
    .sort((a, b) => compareRanks(a.rank, b.rank))
    .map(({ candidate: { path, tensors } }) => ({
      part: path.map((key) => shownText(key, 60)).join("."),
      tensors,
    }));
}

/** Less is likelier. */
function likelihood({ path, weights }: Candidate, most: number): number[] {
  const last = path.at(-1);
  const usual = last === undefined ? -1 : USUAL.indexOf(last);
  const kind = usual >= 0 ? 0 : path.length === 0 && weights === most ? 1 : 2;
  const average = path.some((key) => AVERAGES.test(key.slice(0, 60))) ? 1 : 0;
  return [kind, average, path.length, usual, -weights];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) {
    const difference = value - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Every dictionary with tensors in it, from the top down. A pickle may hold one many times, or itself. */
function dictionaries(root: PyValue): Candidate[] {
  if (!(root instanceof PyDict)) return [];
  const found: Candidate[] = [];
  const seen = new Set<PyDict>([root]);
  let level: { readonly path: readonly string[]; readonly dictionary: PyDict }[] = [
    { path: [], dictionary: root },
  ];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { path, dictionary } of level) {
      const tensors = new Map<string, TensorReference>();
      let weights = 0;
      for (const [key, value] of dictionary.texts()) {
        if (isTensor(value)) {
          tensors.set(key, value);
          if (isWeight(value)) weights++;
        } else if (
          value instanceof PyDict &&
          !seen.has(value) &&
          !NO_WEIGHTS.test(key.slice(0, 60))
        ) {
          seen.add(value);
          if (path.length < DEEPEST) next.push({ path: [...path, key], dictionary: value });
        }
      }
      if (tensors.size > 0) found.push({ path, tensors, weights });
      if (found.length === MOST_CANDIDATES) return found;
    }
    level = next;
  }
  return found;
}

/** A lone number is a score or a count; whole numbers are counters, or the random generator's state. */
const isWeight = ({ shape, storage }: TensorReference) =>
  shape.length > 0 && /float/.test(storage.type);
