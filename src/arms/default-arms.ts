/** @file The default of `compare`, apart from what reads it, so that help texts load no rules. */

/** Five adaptive optimizers at their default rates, and SGD on the triangular cycle of a range test. */
export const DEFAULT_ARMS = [
  "sgd+clr",
  "adagrad",
  "adadelta",
  "rmsprop",
  "adam",
  "adamax",
] as const;
