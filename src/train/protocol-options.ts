/** @file The options of a protocol that are off by default: recorded where they are on, and only there. */

import type { ProtocolRecord } from "../record/index.ts";

type Name =
  | "protocol"
  | "learningRates"
  | "finderSeeds"
  | "ramp"
  | "rule"
  | "sensitivity"
  | "time"
  | "targetAccuracy"
  | "evalEvery"
  | "earlyStopping"
  | "prune"
  | "test"
  | "classWeights";

/** Recorded in the protocol under the same names. */
export type ProtocolOptions = Pick<ProtocolRecord, Name>;

/** What each is where nobody asks for it. */
const DEFAULTS: { readonly [K in Name]: ProtocolOptions[K] } = {
  protocol: undefined,
  learningRates: "defaults",
  finderSeeds: 1,
  ramp: "exponential",
  rule: "minimum/10",
  sensitivity: undefined,
  time: undefined,
  targetAccuracy: undefined,
  evalEvery: 1,
  earlyStopping: undefined,
  prune: undefined,
  test: undefined,
  classWeights: undefined,
};

/** Those of `options` that are on, in a fixed order. */
export function protocolOptions(
  options: {
    readonly [K in Name]?: ProtocolOptions[K] | undefined;
  },
): ProtocolOptions {
  const names = Object.keys(DEFAULTS) as Name[];
  return Object.fromEntries(
    names
      .filter((name) => options[name] !== undefined && options[name] !== DEFAULTS[name])
      .map((name) => [name, options[name]]),
  );
}
