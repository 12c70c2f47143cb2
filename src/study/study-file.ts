/**
 * @file A study as a file that people write, keep and share: the study itself, with the names or paths of what it
 * is about. Paths are seen from the file's own folder.
 */

import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { z } from "zod";
import { ArgumentError, codeOf, StoreError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest-name.ts";
import { isSourceName } from "../datasets/sources/source-names.ts";
import { readRegularFile } from "../files/regular-file.ts";
import { fileName } from "../record/file-name.ts";
import { type StudyRequest, type StudySpec, studySpec } from "../record/index.ts";
import { replaceFile } from "../store/index.ts";
import { isModelFile } from "./load-model.ts";
import { namedArms } from "./own-code/arm-files.ts";
import { namesOf, type StudyPlaces } from "./places.ts";
import { isWeightsFile } from "./weights-file.ts";

const { modelFile, prolonged, objects, ...fields } = studySpec.shape;
const { data, answers, recipe } = fields;

/** Where editors find the schema of such a file. */
export const STUDY_SCHEMA = "https://github.com/lrscope/lrscope/raw/main/schemas/study.json";

/** Of a file: what the command line has a default for has it here, and a slip of the pen is refused. */
export const studyFile = z.strictObject({
  $schema: z.string().optional(),
  ...fields,
  kind: z.enum(["find", "train", "compare"]),
  source: z.string().min(1),
  model: z.string().min(1).default("vanilla"),
  pretrained: z.string().min(1).optional(),
  /** Where files lie that arms name by their own names, and what they were when the study was saved. */
  files: z
    .array(
      z.strictObject({
        name: fileName,
        path: z.string().min(1).optional(),
        sha256: z.string().optional(),
      }),
    )
    .readonly()
    .optional(),
  data: data
    .extend({
      validation: data.shape.validation.default(0.2),
      splitSeed: data.shape.splitSeed.default(0),
      augment: data.shape.augment.default("default"),
    })
    .strict()
    .prefault({}),
  answers: answers.strict().prefault({}),
  recipe: recipe.prefault({} as never),
});

export interface ReadStudy {
  readonly study: StudyRequest;
  /** Where what it names by a path lies on this machine. */
  readonly places: StudyPlaces;
}

/**
 * Reads a study from a file, for `openStudy(study, { places })`.
 * @throws ArgumentError naming the file, the field and the rule, and the nearest field that there is
 * @throws StoreError, exit code 2, where the file cannot be read
 */
export function readStudyFile(path: string): ReadStudy {
  const parsed = studyFile.safeParse(jsonOf(path));
  if (!parsed.success) throw new ArgumentError(`${path}: ${wordsOf(parsed.error)}`);
  const { $schema, files = [], ...study } = parsed.data;
  const { source, model, pretrained } = study;
  const folder = dirname(path);
  const placed = (text: string, isPath: boolean) =>
    isPath && !isAbsolute(text) ? asPath(join(folder, text)) : text;
  const said = files.map(({ name, path: place = name }): [string, string] => [name, place]);
  const { texts, places: named } = namedArms(study.optimizers, Object.fromEntries(said));
  const own = Object.entries(named).map(([name, place]) => [name, placed(place, true)]);
  const hashes = files.flatMap(({ name, sha256 }) => (sha256 ? [{ name, sha256 }] : []));
  const places: StudyPlaces = {
    source: placed(source, !isSourceName(source)),
    model: placed(model, isModelFile(model)),
    pretrained: pretrained && placed(pretrained, isWeightsFile(pretrained)),
    ...(own.length > 0 ? { files: Object.fromEntries(own) } : {}),
  };
  const request = {
    ...{ ...study, optimizers: texts, ...namesOf(places) },
    ...(hashes.length > 0 ? { files: hashes } : {}),
  };
  return { study: request as StudyRequest, places };
}

/** A bare name is that of a source or network: a path beside it begins with a dot. */
const asPath = (path: string) => (isAbsolute(path) || path.startsWith(".") ? path : `./${path}`);

function jsonOf(path: string): unknown {
  let text: Buffer | null;
  try {
    text = readRegularFile(path);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError(`${path}: cannot be read (${codeOf(error) ?? String(error)})`, {
      exitCode: 2,
      cause: error,
    });
  }
  if (text === null) throw new StoreError(`${path}: there is no such file`, { exitCode: 2 });
  try {
    return JSON.parse(text.toString("utf8"));
  } catch (error) {
    throw new ArgumentError(`${path}: is no JSON: ${(error as Error).message}`);
  }
}

/** The first thing that is wrong. */
function wordsOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (!issue) return "is no study";
  const place = issue.path.join(".");
  if (issue.code !== "unrecognized_keys") return `${place || "it"}: ${issue.message}`;
  const [key = ""] = issue.keys;
  const known = { data: data.shape, answers: answers.shape }[place] ?? studyFile.shape;
  return `a study${place === "" ? "" : `'s ${place}`} has no field "${key}"${place === "recipe" ? "" : didYouMean(key, Object.keys(known))}`;
}

/**
 * Writes a study to a file that `readStudyFile` reads as the same. What is at its default is left out.
 * @throws StoreError, exit code 1, where it cannot be written
 */
export function writeStudyFile(path: string, study: StudySpec, places: StudyPlaces): void {
  const own = (text: string, isPath: boolean) => (isPath ? seenFrom(dirname(path), text) : text);
  const { source, model, pretrained } = places;
  const { modelFile, prolonged, files, formatVersion, kind, source: _, ...rest } = study;
  const whole = {
    ...{ $schema: STUDY_SCHEMA, formatVersion, kind },
    source: own(source, !isSourceName(source)),
    ...rest,
    model: own(model, isModelFile(model)),
    ...(files === undefined
      ? {}
      : {
          files: files.map(({ name, sha256 }) => ({
            ...{ name, path: own(places.files?.[name] ?? name, true), sha256 },
          })),
        }),
    ...(pretrained === undefined ? {} : { pretrained: own(pretrained, isWeightsFile(pretrained)) }),
  };
  replaceFile(path, `${JSON.stringify(withoutDefaults(whole), null, 2)}\n`);
}

/** "./photos" or "../photos", so that it is taken for a path and not for a name. */
function seenFrom(folder: string, place: string): string {
  if (isAbsolute(place)) return place;
  const path = relative(resolve(folder), resolve(place)).split(sep).join("/");
  return path.startsWith(".") ? path : `./${path}`;
}

type Fields = Readonly<Record<string, unknown>>;

/** Leaves out, field by field and within its parts, what is read as the same without it. */
function withoutDefaults(whole: Fields): Fields {
  const read = (fields: Fields) => {
    const parsed = studyFile.safeParse(fields);
    return parsed.success ? JSON.stringify(sorted(parsed.data)) : null;
  };
  const wanted = read(whole);
  let kept = whole;
  const tryWithout = (without: Fields) => {
    if (read(without) === wanted) kept = without;
  };
  for (const part of ["data", "recipe", "answers"])
    for (const name of Object.keys(whole[part] as Fields)) {
      const { [name]: _, ...rest } = kept[part] as Fields;
      tryWithout({ ...kept, [part]: rest });
    }
  for (const name of Object.keys(whole)) {
    const { [name]: _, ...rest } = kept;
    if (name !== "$schema") tryWithout(rest);
  }
  return kept;
}

/** Whatever the order in which fields were written. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]),
  );
}
