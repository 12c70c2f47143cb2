/** @file The default of `compare`, apart from what reads it, so that help texts load no rules. */

/** The arms of the 2019 publication. */
export const PUBLISHED_ARMS = [
  "sgd+clr",
  "adagrad",
  "adadelta",
  "rmsprop",
  "adam",
  "adamax",
] as const;
