/** @file What an arm says of its optimizer and schedule in brackets, checked against what they have. */

import { ArgumentError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest-name.ts";
import { shortened } from "../core/shown.ts";
import {
  createOptimizer,
  type Dialect,
  isOwnOptimizer,
  optimizerFlags,
} from "../optimizers/index.ts";
import type { ArmText } from "./arm-text.ts";
import { isPartFile } from "./own-parts.ts";

/** Where other libraries say it otherwise, or in snake case. */
const OTHER_WORDS: Readonly<Record<string, string>> = { lr: "learningRate", eps: "epsilon" };

const camel = (word: string) =>
  word.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** A name as we write it: "weight_decay" is weightDecay, "lr" is learningRate. */
export const ownName = (word: string): string => OTHER_WORDS[word] ?? camel(word);

export interface OptimizerSettings {
  readonly hyperparameters?: Readonly<Record<string, number>>;
  readonly dialect?: Dialect;
  /** Where the rate is among them, in place of @RATE. */
  readonly learningRate?: number;
}

/**
 * An optimizer's settings: every hyperparameter that it has by name, a word alone where it is on or off, and
 * `dialect`.
 * @throws ArgumentError for one that it has not, naming the nearest and the list, or a value outside its domain
 */
export function optimizerSettingsOf(arm: string, text: ArmText): OptimizerSettings {
  const { optimizer, optimizerSettings } = text;
  if (isPartFile(optimizer) && !isOwnOptimizer(optimizer))
    return settingsOfRecord(optimizerSettings);
  const known = Object.keys(createOptimizer(optimizer).hyperparameters);
  const flags = optimizerFlags(optimizer);
  const hyperparameters: Record<string, number> = {};
  let dialect: Dialect | undefined;
  for (const [word, value] of optimizerSettings) {
    if (word === "dialect") {
      // Which there are is said by createOptimizer.
      dialect = (value ?? "") as Dialect;
      continue;
    }
    const name = ownName(word);
    if (!known.includes(name))
      throw new ArgumentError(
        `arm "${shortened(arm)}": ${optimizer} has no hyperparameter "${shortened(word)}"${didYouMean(name, known)} It has ${known.join(", ")}`,
      );
    hyperparameters[name] = numberOf(value, { arm, name, isFlag: flags.includes(name) });
  }
  createOptimizer(optimizer, hyperparameters, { dialect });
  const { learningRate, ...rest } = hyperparameters;
  return {
    ...(Object.keys(rest).length > 0 ? { hyperparameters: rest } : {}),
    ...(dialect === undefined ? {} : { dialect }),
    ...(learningRate === undefined ? {} : { learningRate }),
  };
}

/** Of a file that this process has not loaded, as whoever reads a record has not: they were checked when it was written. */
function settingsOfRecord(settings: ReadonlyMap<string, string | null>): OptimizerSettings {
  const hyperparameters = Object.fromEntries(
    [...settings].map(([word, value]) => [ownName(word), value === null ? 1 : Number(value)]),
  );
  return settings.size === 0 ? {} : { hyperparameters };
}

const ON_OFF: Readonly<Record<string, number>> = { true: 1, on: 1, false: 0, off: 0 };

function numberOf(
  value: string | null,
  { arm, name, isFlag }: { arm: string; name: string; isFlag: boolean },
): number {
  if (value === null && isFlag) return 1;
  const number = isFlag && value !== null ? (ON_OFF[value] ?? Number(value)) : Number(value ?? "x");
  if (!Number.isFinite(number))
    throw new ArgumentError(
      value === null
        ? `arm "${shortened(arm)}": ${name} needs a value, as in ${name}=0.9`
        : `arm "${shortened(arm)}": ${name} must be a number; got "${shortened(value)}"`,
    );
  return number;
}
