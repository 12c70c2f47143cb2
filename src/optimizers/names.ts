/** @file The optimizers' names alone, for help texts: naming them loads none of their rules. */

/** Names that createOptimizer and the command line know; wrappers go in front of them. */
export const optimizerNames: readonly string[] = [
  "sgd",
  "adagrad",
  "adadelta",
  "rmsprop",
  "adam",
  "adamax",
  "adamw",
  "nadam",
  "radam",
  "lion",
  "lars",
  "lamb",
  "adafactor",
  "prodigy",
  "schedule-free-sgd",
  "schedule-free-adamw",
  "muon",
];
