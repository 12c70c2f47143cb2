/**
 * @file Where the data and the network of an experiment lie on this machine. A run directory holds no
 * path, so that it can be shown to anybody; this machine's cache remembers, and the user may say it.
 */

import { existsSync } from "node:fs";
import { basename, relative } from "node:path";
import { ArgumentError, StoreError } from "../core/errors.ts";
import { isSourceName } from "../datasets/sources/source-names.ts";
import type { ExperimentRecord, StudySpec } from "../record/index.ts";
import { isModelFile } from "./load-model.ts";
import { type ArmFile, type ArmFilePlaces, findArmFiles } from "./own-code/arm-files.ts";
import { isWeightsFile } from "./weights-file.ts";

/** What a study names, where it is on this machine: a name of a source, model or weights, or a path. */
export interface StudyPlaces {
  readonly source: string;
  readonly model: string;
  readonly pretrained?: string | undefined;
  /** Files that arms are made of, by the names that arms have for them. */
  readonly files?: ArmFilePlaces | undefined;
}

/** What the record says of them: names as they are, null for a path. */
export const namesOf = ({
  source,
  model,
  pretrained,
}: StudyPlaces): Pick<StudySpec, "source" | "model" | "modelFile" | "pretrained"> => ({
  source: isSourceName(source) ? source : null,
  model: isModelFile(model) ? null : model,
  ...(isModelFile(model) ? { modelFile: basename(model) } : {}),
  ...(pretrained === undefined
    ? {}
    : { pretrained: isWeightsFile(pretrained) ? null : pretrained }),
});

/** Notes the places of a folder of images and of a file with a network, in this machine's cache. */
export async function rememberPlaces(
  { source, model, pretrained, files = {} }: StudyPlaces,
  experiment: ExperimentRecord,
): Promise<void> {
  const { rememberPlace } = await import("../datasets/cache/places.ts");
  const { dataset, model: network } = experiment;
  if (!isSourceName(source)) await rememberPlace(dataset.fingerprint, source);
  if (isModelFile(model) && network.graph) await rememberPlace(network.graph, model);
  if (pretrained && network.pretrained && isWeightsFile(pretrained))
    await rememberPlace(network.pretrained.sha256, pretrained);
  for (const { name, sha256 } of experiment.specification?.files ?? [])
    await rememberPlace(sha256, files[name] ?? name);
}

export interface FindPlacesOptions {
  /** As in a message: "compare --resume my-run". */
  readonly call: string;
  readonly experiment: ExperimentRecord;
  /** As recorded: a name, or null for a folder or file. */
  readonly recorded: {
    readonly source: string | null;
    readonly model: string | null;
    /** undefined: the experiment began from weights drawn by the seed. */
    readonly pretrained?: string | null | undefined;
    readonly files?: readonly ArmFile[] | undefined;
  };
  /** As the user said this time. */
  readonly said: {
    readonly source: string | undefined;
    readonly model: string | undefined;
    readonly pretrained: string | undefined;
    readonly files?: ArmFilePlaces | undefined;
  };
}

/**
 * A record holds names alone: a run directory may come from anybody, and going on with it must not run a
 * file, or read a folder, that the record chooses.
 * @throws StoreError, exit code 2, for a record that holds a path
 */
function refusePaths(
  call: string,
  { source, model, pretrained }: FindPlacesOptions["recorded"],
): void {
  const refuse = (key: string, value: string, remedy: string) => {
    throw new StoreError(
      `${call}: "specification.${key}" of experiment.json must be a name or null; it is the path ${JSON.stringify(value)}. Records are written without paths, so this one was edited: set it to null and, if you trust what it names, say it yourself (${remedy})`,
      { exitCode: 2 },
    );
  };
  if (source !== null && !isSourceName(source)) refuse("source", source, "FOLDER");
  if (model !== null && isModelFile(model)) refuse("model", model, "--model FILE");
  if (typeof pretrained === "string" && isWeightsFile(pretrained))
    refuse("pretrained", pretrained, "--pretrained FILE");
}

/**
 * What was said, or what is remembered.
 * @throws ArgumentError where neither leads anywhere
 * @throws StoreError for a record that holds a path, whatever was said
 */
export async function findPlaces(options: FindPlacesOptions): Promise<StudyPlaces> {
  const { call, experiment, recorded, said } = options;
  refusePaths(call, recorded);
  const { knownPlace } = await import("../datasets/cache/places.ts");
  const known = (fingerprint: string | undefined) => {
    const path = fingerprint === undefined ? null : knownPlace(fingerprint);
    return path !== null && existsSync(path) ? path : null;
  };
  const { dataset, model } = experiment;
  const source = said.source ?? recorded.source ?? known(dataset.fingerprint);
  if (source === null)
    throw new ArgumentError(
      `${call}: the images of "${dataset.name}" are not where they were, or were never used on this machine; say where they are: lrscope ${call.replace(" ", " FOLDER ")}`,
    );
  const network = said.model ?? recorded.model ?? known(model.graph);
  if (network === null)
    throw new ArgumentError(
      `${call}: the file with the network "${model.name}" is not where it was; say where it is: lrscope ${call} --model FILE`,
    );
  const files = await findArmFiles(call, recorded.files ?? [], said.files);
  if (recorded.pretrained === undefined)
    return { source, model: network, pretrained: undefined, files };
  const weights = said.pretrained ?? recorded.pretrained ?? known(model.pretrained?.sha256);
  if (weights === null)
    throw new ArgumentError(
      `${call}: the weights "${model.pretrained?.source}" that it began from are not where they were; say where they are: lrscope ${call} --pretrained FILE`,
    );
  return { source, model: network, pretrained: weights, files };
}

/**
 * Where it was when it was last used on this machine, as to be written in the folder of the call; what is a name, or not
 * known, is left out.
 */
export async function placesFromHere({
  specification,
  dataset,
  model,
}: ExperimentRecord): Promise<Partial<StudyPlaces>> {
  if (!specification) return {};
  const { knownPlace } = await import("../datasets/cache/places.ts");
  const placed = (key: string, name: string | null | undefined, fingerprint?: string) => {
    const place = name === null && fingerprint !== undefined ? knownPlace(fingerprint) : null;
    return place !== null && existsSync(place) ? { [key]: fromHere(place) } : {};
  };
  const { source, files = [] } = specification;
  const known = files.flatMap(({ name, sha256 }) => Object.entries(placed(name, null, sha256)));
  return {
    ...placed("source", source, dataset.fingerprint),
    ...placed("model", specification.model, model.graph),
    ...placed("pretrained", specification.pretrained, model.pretrained?.sha256),
    ...(known.length > 0 ? { files: Object.fromEntries(known) } : {}),
  };
}

/** "photos", "./mine.ts"; whatever is shorter for what lies elsewhere. A bare name may be that of a source. */
function fromHere(place: string): string {
  const path = relative(process.cwd(), place);
  if (path.startsWith("..")) return path.length < place.length ? path : place;
  return isSourceName(path) || isModelFile(path) || path === "" ? `./${path}` : path;
}
