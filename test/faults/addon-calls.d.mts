/** @file What addon-calls.mjs, which workers load as it is, gives to the tests. */

export const CALLS: Readonly<Record<string, unknown>>;
