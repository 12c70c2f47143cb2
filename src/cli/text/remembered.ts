/** @file What is worked out of the same list again and again, once. */

/** The function with its last answer kept, which is given again for the same array (not only an equal one) and number. */
export function remembered<T, R>(
  work: (list: readonly T[], at: number) => R,
): (list: readonly T[], at: number) => R {
  let last: { readonly list: readonly T[]; readonly at: number; readonly result: R } | undefined;
  return (list, at) => {
    if (last?.list !== list || last.at !== at) last = { list, at, result: work(list, at) };
    return last.result;
  };
}
