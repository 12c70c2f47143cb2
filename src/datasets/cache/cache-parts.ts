/** @file The folders of the cache, by name. */

export const CACHE_PARTS = [
  ...(["decoded", "features", "sources", "downloads"] as const),
  ...(["weights", "fetched", "tuning", "hashes", "places"] as const),
] as const;

export type CachePart = (typeof CACHE_PARTS)[number];
