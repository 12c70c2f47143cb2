/** @file With what an arm trains, as its records say it: beside its curves, and with each of its trials. */

import type { ExperimentRecord, TrialRecord } from "../src/record/index.ts";
import { describeSchedule } from "../src/schedules/index.ts";
import { element } from "./element.ts";

export type Facts = readonly (readonly [name: string, text: string])[];

/** "sgd (lr 0.1, momentum 0.9)" and what else tells one trial's training from another's. */
export const trainingFacts = ({ optimizer, schedule, learningRateSource }: TrialRecord): Facts => [
  ["optimizer", `${optimizer.name} (${numbers(optimizer.hyperparameters)})`],
  ["schedule", describeSchedule(schedule)],
  ["learning rate from", learningRateSource],
];

/**
 * An arm's: as its first trial has it; before one has begun as it was asked for. Beneath, what all arms share.
 * @param trial of the arm; undefined where none has begun
 */
export function armFacts(
  { arms, protocol, model, dataset, specification }: ExperimentRecord,
  name: string,
  trial: TrialRecord | undefined,
): Facts {
  const arm = arms.find((each) => each.name === name);
  const own: Facts = trial
    ? trainingFacts(trial)
    : arm
      ? [
          [
            "optimizer",
            Object.keys(arm.hyperparameters ?? {}).length > 0
              ? `${arm.optimizer} (${numbers(arm.hyperparameters ?? {})})`
              : arm.optimizer,
          ],
          ["schedule", arm.schedule ?? "none"],
          ["learning rate", arm.learningRate === null ? "of a range test" : `${arm.learningRate}`],
        ]
      : [];
  return [
    ...own,
    ["seeds", protocol.seeds.join(", ")],
    ["network", model.name],
    ["data", `${dataset.name}, ${dataset.size} pixels`],
    ["epochs", `${protocol.epochs} of ${protocol.updatesPerEpoch} updates`],
    ...recipeFacts(specification?.recipe),
  ];
}

const numbers = (values: Readonly<Record<string, number>>) =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

/** What of the recipe was said; what is usual is left to the study's own page. */
const recipeFacts = (recipe: object | undefined): Facts =>
  Object.entries(recipe ?? {}).flatMap(([name, value]) =>
    value === null || value === undefined || value === false
      ? []
      : [
          [
            name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
            typeof value === "object" ? JSON.stringify(value) : String(value),
          ] as const,
        ],
  );

export const factList = (facts: Facts): HTMLElement =>
  element(
    "dl",
    { class: "facts" },
    facts.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]),
  );
