/** @file The JSON schema of a study's file, for editors: made of the schema by which it is read, and the help of its flags. */

import { z } from "zod";
import { STUDY_SCHEMA, studyFile } from "../study/study-file.ts";
import { commands } from "./commands/index.ts";

interface Described {
  description?: string;
  properties?: Record<string, Described>;
}

/** What a field is for, in the words of the flag of its name. */
const help: Readonly<Record<string, string>> = Object.fromEntries(
  [...commands]
    .reverse()
    .filter(({ study }) => study !== undefined)
    .flatMap(({ flags }) => Object.entries(flags).map(([key, flag]) => [key, flag.help])),
);

/** Of fields that have no flag of their name, or another meaning. */
const OWN: Readonly<Record<string, string>> = {
  kind: "the command that runs it",
  formatVersion: "of this file: 2",
  source: "a data set's name, or the path of a folder of class folders, seen from this file",
  optimizers: "arms: NAME[+SCHEDULE][@RATE], settings in brackets; one of find and train",
  seeds: "the seeds themselves: 0, 1, 2",
  epochs: "of each run; of find the length of its test, unless rangeTestUpdates is there",
  recipe: "how each run trains",
  data: "how the source becomes a data set",
  answers: "what is asked of the results",
  rangeTestUpdates: "updates of each seed's range test",
  rangeTestEpochs: "the same in epochs",
  reading: "averaged, or published: the range test as in the 2019 publication",
  validationEvery: "with loss validation: measured after so many updates each",
  modelOptions: "of the networks that take some: widths, hidden",
  files:
    "where the files lie that arms are made of, seen from this file, and their hashes, where they are to be what they were",
  tune: "time the implementations of each convolution and keep the fastest",
  pruning: "arms are judged at rungs by all their seeds, and those that are behind end there",
  method: "halving, asha or median",
  confirm: "epochs of runs that confirm the rate of find",
  tuneEpochs: "epochs of runs that tune the rate of find",
  threads: "cores of each run, on which its bits depend",
  memory: "greatest memory of a step, in bytes",
};

/** As it is published. */
export function studySchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(studyFile, { io: "input", unrepresentable: "any" }) as Described;
  describe(schema);
  return {
    $id: STUDY_SCHEMA,
    title: "A study of lrscope, run by lrscope find, train or compare FILE",
    ...schema,
  };
}

function describe({ properties = {} }: Described): void {
  for (const [name, field] of Object.entries(properties)) {
    const words = OWN[name] ?? help[name];
    if (words !== undefined) field.description = words;
    describe(field);
  }
}
