/** @file `lrscope cache`: what this machine keeps from run to run, and taking it away. */

import { ArgumentError } from "../../core/errors.ts";
import { CACHE_PARTS } from "../../datasets/cache/cache-parts.ts";
import { defineCommand, optional, toggle } from "../flags/define-command.ts";
import { jsonFlag } from "../flags/flags.ts";
import { list, oneOf, positive } from "../flags/values.ts";
import { count, mebibytes, plural, textTable } from "../text/format.ts";

const part = oneOf(CACHE_PARTS);

export const cache = defineCommand({
  name: "cache",
  api: ["listCache", "cleanCache"],
  summary: "list what is kept from run to run: decoded images, data sets, weights; and clean it",
  details:
    "The cache lies in $LRSCOPE_CACHE, else $XDG_CACHE_HOME/lrscope, else ~/.cache/lrscope. All that is in it can be made or fetched again; of files that lrscope did not put there it knows nothing, and leaves them.",
  args: [],
  flags: {
    clean: toggle("remove all but the places of folders and files; asks first"),
    parts: optional({
      placeholder: "list",
      help: `with --clean: these alone, of ${CACHE_PARTS.join(", ")}`,
      read: (value, flag) => list("decoded,features")(value, flag).map((name) => part(name, flag)),
      shownFallback: "all but places",
    }),
    olderThan: optional({
      placeholder: "days",
      help: "with --clean: what was not written for so many days",
      read: positive("30"),
      shownFallback: "all",
    }),
    yes: toggle("do not ask"),
    ...jsonFlag,
  },
  examples: ["lrscope cache", "lrscope cache --clean --parts decoded,features --older-than 30"],
  async run({ flags, given, terminal, signal }) {
    const { cleanCache, listCache } = await import("../../datasets/cache/keep-house.ts");
    for (const key of ["parts", "olderThan", "yes"])
      if (given.has(key) && !flags.clean)
        throw new ArgumentError(
          `cache: --${key === "olderThan" ? "older-than" : key} has no effect without --clean; add it, or leave it out`,
        );
    if (!flags.clean) {
      const { folder, files } = await listCache();
      terminal.print(`${folder}: ${mebibytes(total(files))}`);
      const rows = CACHE_PARTS.map((each) => ({ each, own: files.filter((f) => f.part === each) }))
        .filter(({ own }) => own.length > 0)
        .map(({ each, own }) => [
          each,
          count(own.length),
          mebibytes(total(own)),
          (
            own
              .map(({ changed }) => changed)
              .sort()
              .at(-1) ?? ""
          ).slice(0, 10),
          own[0]?.holds ?? "",
        ]);
      if (rows.length > 0)
        terminal.print(
          textTable(
            ["part", "files", "size", "newest", "holds"],
            rows,
            ["left", "right", "right", "left", "left"],
            terminal.colors,
            terminal.width,
          ),
        );
      return terminal.result({ folder, files });
    }
    const { parts, olderThan } = flags;
    const chosen = await cleanCache({ parts, olderThan, dryRun: true });
    const size = `${plural(chosen.length, "file")} of the cache, ${mebibytes(total(chosen))}`;
    if (chosen.length > 0 && !flags.yes) {
      const { confirmed } = await import("../confirm.ts");
      const unasked = `cache: ${size} would be removed, and nobody can be asked here; say --yes`;
      if (!(await confirmed(`Remove ${size}?`, { terminal, signal, unasked })))
        return terminal.print("Nothing was removed.");
    }
    const removed = await cleanCache({ parts, olderThan });
    terminal.print(`removed ${plural(removed.length, "file")}, ${mebibytes(total(removed))}`);
    terminal.result({ removed });
  },
});

const total = (files: readonly { readonly bytes: number }[]) =>
  files.reduce((sum, { bytes }) => sum + bytes, 0);
