/** @file The published studies that come with the package, and what a run that follows one has of it. */

import { ArgumentError } from "../core/errors.ts";
import { shortened } from "../core/shown.ts";
import type { ExperimentRecord, SummaryRecord, TrialHistory } from "../record/index.ts";
import type {
  AddedSection,
  ProtocolDefaults,
  PublishedProtocol,
  TextTable,
} from "../report/index.ts";

/** Folders of studies/. */
export const PROTOCOL_NAMES = ["flowers-2019"] as const;
export type ProtocolName = (typeof PROTOCOL_NAMES)[number];

const isKnown = (name: string | undefined): name is ProtocolName =>
  (PROTOCOL_NAMES as readonly (string | undefined)[]).includes(name);

/** A study is loaded by its entry point of the package, and by nobody else. */
export async function loadProtocol(name: ProtocolName): Promise<PublishedProtocol> {
  const entry = `lrscope/studies/${name}`;
  const { protocol } = (await import(/* @vite-ignore */ entry)) as { protocol: PublishedProtocol };
  return protocol;
}

/**
 * What a comparison that follows a protocol is asked for where its call leaves it open, and that in words.
 * @param model by its name or its file; what it is does not count where it is not among what is given
 * @param given names of what the call says itself
 * @throws ArgumentError for a model with which the publication made no experiment
 */
export async function defaultsOf(
  name: ProtocolName | undefined,
  model: string,
  given: ReadonlySet<string>,
): Promise<{ readonly set: Partial<ProtocolDefaults>; readonly said: string | null }> {
  if (name === undefined) return { set: {}, said: null };
  const protocol = await loadProtocol(name);
  const all = protocol.defaultsFor(given.has("model") ? model : null);
  if (!all)
    throw new ArgumentError(
      `compare: --protocol ${name} has no experiment with the model ${shortened(model)}; choose another --model, or leave out --protocol`,
    );
  const set = Object.entries(all).filter(([key]) => !given.has(key));
  const said = set.map(([key, value]) =>
    key === "published"
      ? "range tests as published"
      : `${key} ${Array.isArray(value) ? value.join(",") : value}`,
  );
  return {
    set: Object.fromEntries(set),
    said: `${name}: ${said.length > 0 ? `${said.join(", ")}, as in` : "all is given that is known of"} ${protocol.publication}`,
  };
}

/** The protocol that an experiment says it follows; null where it follows none, or one of a later version. */
async function followedBy({ protocol }: ExperimentRecord): Promise<PublishedProtocol | null> {
  return isKnown(protocol.protocol) ? await loadProtocol(protocol.protocol) : null;
}

/** A run as one that follows the protocol: older records do not say it themselves. */
export const following = <R extends { readonly experiment: ExperimentRecord }>(
  run: R,
  name: ProtocolName | undefined,
): R => {
  if (name === undefined) return run;
  const { specification, ...experiment } = run.experiment;
  return {
    ...run,
    experiment: {
      ...experiment,
      protocol: { ...experiment.protocol, protocol: name },
      ...(specification ? { specification: { ...specification, protocol: name } } : {}),
    },
  };
};

/** @throws ArgumentError where an experiment cannot be said to follow the protocol that it names */
export async function checkProtocol(subject: string, experiment: ExperimentRecord): Promise<void> {
  const protocol = await followedBy(experiment);
  const why = protocol?.refusal(experiment);
  if (protocol && why)
    throw new ArgumentError(
      `${subject}: --protocol ${protocol.name} does not fit: ${why}; leave out --protocol`,
    );
}

/** What summaries say of ours beside the publication's: an option of `summarize`. */
export async function publishedOf(
  experiment: ExperimentRecord,
  trials: readonly TrialHistory[],
): Promise<Pick<SummaryRecord, "published">> {
  const protocol = await followedBy(experiment);
  const published = protocol?.compare(experiment, trials);
  return published ? { published } : {};
}

/** What the report of a run shows of it. */
export async function sectionsOf(
  experiment: ExperimentRecord,
  summary: SummaryRecord | null,
): Promise<AddedSection[]> {
  const protocol = await followedBy(experiment);
  const section = protocol?.section(summary?.published);
  return section ? [section] : [];
}

/** What a terminal shows of it; null where there is nothing. */
export async function publishedTableOf(
  experiment: ExperimentRecord,
  { published }: Pick<SummaryRecord, "published">,
): Promise<TextTable | null> {
  const protocol = await followedBy(experiment);
  return protocol?.table(published) ?? null;
}
