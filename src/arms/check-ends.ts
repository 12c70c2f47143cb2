/** @file What may end a trial: which of it is on, and its domains. */

import { checkPositive, checkPositiveInteger } from "../core/checks.ts";
import { ArgumentError } from "../core/errors.ts";
import { type Ends, endsOf } from "../record/index.ts";

/** @throws ArgumentError for an option outside its domain */
export function checkEnds(
  subject: string,
  { time, targetAccuracy, evalEvery, earlyStopping, prune }: Ends,
): void {
  if (time !== undefined) checkPositive(subject, "time", time);
  if (targetAccuracy !== undefined && !(targetAccuracy > 0 && targetAccuracy <= 1))
    throw new ArgumentError(
      `${subject}: targetAccuracy must be above 0 and at most 1; got ${targetAccuracy}`,
    );
  for (const [name, value] of Object.entries({ evalEvery, earlyStopping, prune }))
    if (value !== undefined) checkPositiveInteger(subject, name, value);
}

/** Those that are on: a validation after each epoch is what is done anyway. */
export function endsThatAreOn(ends: { readonly [K in keyof Ends]?: Ends[K] | undefined }): Ends {
  const { evalEvery = 1, ...others } = endsOf(ends as Ends);
  return { ...others, ...(evalEvery === 1 ? {} : { evalEvery }) };
}
