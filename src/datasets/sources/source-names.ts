/** @file The sources that have a name. */

/** What `openDataset` takes besides a path. */
export const sourceNames = ["mnist", "fashion-mnist", "cifar10", "flowers", "synthetic"] as const;

export type SourceName = (typeof sourceNames)[number];

export const isSourceName = (name: string): name is SourceName =>
  (sourceNames as readonly string[]).includes(name);
