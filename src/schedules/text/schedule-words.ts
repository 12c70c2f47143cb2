/** @file Names that people have for the families of schedules and their options, and our own. */

/** Other words for a type; case, "-" and "_" do not matter. */
export const TYPE_WORDS: Readonly<Record<string, string>> = {
  clr: "triangular",
  cosine: "cosineDecay",
  linear: "linearRamp",
  "1cycle": "oneCycle",
  sgdr: "cosineRestarts",
  wsd: "trapezoidal",
  isqrt: "inverseSqrt",
  poly: "polynomial",
  exp: "exponential",
  step: "stepDecay",
  multistep: "multiStep",
  hold: "holdAfter",
  plateau: "reduceOnPlateau",
};

/** Shorter words for a type's options. */
export const KEY_WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  constant: { lr: "rate" },
  triangular: { step: "stepSize", down: "stepDown" },
  triangular2: { step: "stepSize", down: "stepDown" },
  expRange: { step: "stepSize", down: "stepDown" },
  oneCycle: { rise: "riseFraction", fall: "fallFraction" },
  cosineRestarts: { cycle: "cycleSteps" },
  trapezoidal: { warmup: "warmupSteps", down: "decaySteps" },
  inverseSqrt: { warmup: "warmupSteps" },
  exponential: { lr: "rate" },
  stepDecay: { lr: "rate" },
  reduceOnPlateau: { lr: "rate" },
  multiStep: { lr: "rate", at: "milestones" },
};

const plain = (word: string) => word.toLowerCase().replaceAll(/[-_]/g, "");

/** "exp_range" -> "expRange", "SGDR" -> "cosineRestarts"; a word that is none stays as it is. */
export function typeOf(word: string, types: readonly string[]): string {
  const wanted = plain(word);
  return (
    types.find((type) => plain(type) === wanted) ??
    Object.entries(TYPE_WORDS).find(([other]) => plain(other) === wanted)?.[1] ??
    word
  );
}
