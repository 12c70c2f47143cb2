/** @file `lrscope runs [DIR]`: the runs that there are; what is said of them, their names, and their end. */

import { ArgumentError } from "../../core/errors.ts";
import { defineCommand, optional, toggle } from "../flags/define-command.ts";
import { jsonFlag } from "../flags/flags.ts";
import { list, oneOf, text } from "../flags/values.ts";
import { mebibytes, plural } from "../text/format.ts";

const runsFlags = {
  kind: optional({
    placeholder: "kind",
    help: "those of one command alone: demo, find, train, compare",
    read: oneOf(["demo", "find", "train", "compare"]),
    shownFallback: "all",
  }),
  status: optional({
    placeholder: "word",
    help: "running, finished, unfinished, failed (a run of it did), budget-reached (it has spent what it may) or damaged (its records cannot be read)",
    read: oneOf(["running", "finished", "unfinished", "failed", "budget-reached", "damaged"]),
    shownFallback: "all",
  }),
  tag: optional({
    placeholder: "tag",
    help: "those that have it",
    read: text,
    shownFallback: "all",
  }),
  filter: optional({
    placeholder: "text",
    help: "those with this in their name, data, network, arms or note, in any case",
    read: text,
    shownFallback: "all",
  }),
  note: optional({
    placeholder: "text",
    help: 'say this of the run that DIR is; "-" takes away what was said',
    read: text,
  }),
  addTags: optional({
    placeholder: "list",
    help: "give it tags: good,lab",
    read: list("good,lab"),
  }),
  removeTags: optional({ placeholder: "list", help: "take tags away", read: list("good") }),
  rename: optional({ placeholder: "name", help: "give its folder another name", read: text }),
  delete: toggle(
    "delete the run that DIR is, or those within it that the filters leave; asks first",
  ),
  yes: toggle("do not ask"),
  ...jsonFlag,
};

const FILTERS = ["kind", "status", "tag", "filter"];
const OF_ONE = ["note", "addTags", "removeTags", "rename"];

export const runs = defineCommand({
  name: "runs",
  api: ["listRuns", "annotateRun", "renameRun", "deleteRun"],
  summary: "list the runs in a folder, and note, tag, rename or delete them",
  details:
    "Lists every run in DIR and the folders within it, newest first: how far each came, what came out, what it takes on the disk. Where DIR is a run itself, flags say something of it, or rename or delete it. Only folders with lrscope's own record are ever deleted, only where they hold nothing else and nobody works in them.",
  args: [{ name: "dir", help: "folder of runs, or a run; default lrscope-runs", optional: true }],
  flags: runsFlags,
  examples: [
    "lrscope runs",
    "lrscope runs --kind compare --status finished --filter photos",
    'lrscope runs lrscope-runs/train-photos-20260131-101500 --note "first that beats 80%" --add-tags good',
    "lrscope runs lrscope-runs/train-photos-20260131-101500 --rename baseline",
    "lrscope runs --tag scratch --delete",
  ],
  async run({ args, flags, given, terminal, signal }) {
    const { annotateRun, deleteRun, describeRun, hasRecord, listRuns, renameRun, RUNS_FOLDER } =
      await import("../../study/runs/index.ts");
    const { runsTable } = await import("../text/runs-text.ts");
    const folder = args[0] ?? RUNS_FOLDER;
    const isRun = hasRecord(folder);
    const asked = OF_ONE.filter((key) => given.has(key));
    if (given.has("yes") && !flags.delete)
      throw new ArgumentError("runs: --yes has no effect without --delete; leave it out");
    if (asked.length > 0 && flags.delete)
      throw new ArgumentError("runs: --delete goes alone, or with filters; leave the others out");
    if (asked.length > 0 && !isRun)
      throw new ArgumentError(
        `runs: --${asked[0]?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} is of one run, and ${folder} is none; name a run's own folder`,
      );
    const filter = { kind: flags.kind, status: flags.status, tag: flags.tag, text: flags.filter };
    if (asked.length > 0) {
      const { note, addTags, removeTags, rename } = flags;
      if (note !== undefined || addTags || removeTags)
        annotateRun(folder, { note: note === "-" ? "" : note, addTags, removeTags });
      const path = rename === undefined ? folder : await renameRun(folder, rename);
      const run = describeRun(path);
      terminal.print(runsTable([run], terminal));
      if (run.note) terminal.print(`\n${run.note}`);
      return terminal.result({ runs: [run] });
    }
    const found = listRuns(folder, filter);
    if (!flags.delete) {
      if (found.length === 0) terminal.print(`No runs in ${folder}${filters(given)}.`);
      else {
        const bytes = found.reduce((sum, run) => sum + run.bytes, 0);
        terminal.print(runsTable(found, terminal));
        terminal.print(`\n${plural(found.length, "run")}, ${mebibytes(bytes)}`);
        for (const { path, reason } of found) if (reason) terminal.print(`${path}: ${reason}`);
      }
      return terminal.result({ runs: found });
    }
    if (!isRun && !FILTERS.some((key) => given.has(key)))
      throw new ArgumentError(
        `runs: --delete needs to know which runs: name one's own folder, or filter those of ${folder} (--tag, --status, --kind, --filter)`,
      );
    if (found.length === 0) throw new ArgumentError(`runs: no run in ${folder} is like that`);
    if (!flags.yes) {
      terminal.print(runsTable(found, terminal));
      const { confirmed } = await import("../confirm.ts");
      const question = `Delete ${found.length === 1 ? "this run" : `these ${found.length} runs`} for good?`;
      const unasked = `runs: ${plural(found.length, "run")} would be deleted (${found.map(({ name }) => name).join(", ")}), and nobody can be asked here; say --yes`;
      if (!(await confirmed(question, { terminal, signal, unasked })))
        return terminal.print("Nothing was deleted.");
    }
    const deleted: string[] = [];
    for (const { path } of found) {
      const bytes = await deleteRun(path);
      deleted.push(path);
      terminal.print(`deleted ${path}: ${mebibytes(bytes)}`);
    }
    terminal.result({ deleted });
  },
});

const filters = (given: ReadonlySet<string>) =>
  FILTERS.some((key) => given.has(key)) ? " that are like that" : "";
