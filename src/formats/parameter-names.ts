/**
 * @file Parameters by the names that a network knows, whatever wrapped the network when it was saved:
 * DataParallel puts "module." before each name, torch.compile "_orig_mod.", a larger model the name of its part
 * ("encoder.", "backbone.").
 */

/** Modules that hold one other, and take part in no computation. */
const WRAPPERS = /(^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)(?=\.)/g;

/** The name without the wrappers that PyTorch puts anywhere within: "layer1._orig_mod.0.weight". */
const unwrapped = (name: string): string =>
  name.includes("_orig_mod.") || name.includes("_wrapped_module.")
    ? name.replace(WRAPPERS, "").replace(/^\./, "")
    : name;

/** Entries by names without wrappers; as they are where two of them would then have one name. */
export function withoutWrappers<T>(entries: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const [name, value] of entries) found.set(unwrapped(name), value);
  return found.size === entries.size ? found : entries;
}

/** What stands before a network's own names, and how many of them are found behind it. */
export interface FoundNames {
  /** "module.encoder."; "" where the names are the network's own. */
  readonly prefix: string;
  readonly found: number;
}

/**
 * The prefix behind which most of the wanted names are found; of equals none, then the first.
 * Takes time in proportion to the names.
 */
export function findNames(names: Iterable<string>, wanted: ReadonlySet<string>): FoundNames {
  const longest = [...wanted].reduce((most, { length }) => Math.max(most, length), 0);
  const counts = new Map<string, number>([["", 0]]);
  for (const name of names) {
    if (wanted.has(name)) counts.set("", (counts.get("") ?? 0) + 1);
    // Of each name, what stands behind each of its dots, the shortest first.
    for (let dot = name.lastIndexOf("."); dot > 0; dot = name.lastIndexOf(".", dot - 1)) {
      if (name.length - dot - 1 > longest) break;
      if (!wanted.has(name.slice(dot + 1))) continue;
      const prefix = name.slice(0, dot + 1);
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  let best: FoundNames = { prefix: "", found: counts.get("") ?? 0 };
  for (const [prefix, found] of counts) if (found > best.found) best = { prefix, found };
  return best;
}
