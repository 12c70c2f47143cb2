/** @file With what an arm trains, as its records say it: beside its curves, and with each of its trials. */

import type { ExperimentRecord, TrialRecord } from "../src/record/index.ts";
import { describeSchedule } from "../src/schedules/index.ts";
import { element } from "./element.ts";

export type Facts = readonly (readonly [name: string, text: string])[];

/** "sgd (lr 0.1, momentum 0.9)" and what else tells one trial's training from another's. */
export const trainingFacts = ({ optimizer, schedule, learningRateSource }: TrialRecord): Facts => [
  ["optimizer", withNumbers(optimizer.name, optimizer.hyperparameters)],
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
          ["optimizer", withNumbers(arm.optimizer, arm.hyperparameters ?? {})],
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

/** "sgd (momentum 0.9)": the rate is the schedule's, which says it. */
function withNumbers(name: string, values: Readonly<Record<string, number>>): string {
  const said = Object.entries(values).filter(([each]) => each !== "learningRate");
  return said.length === 0
    ? name
    : `${name} (${said.map(([each, value]) => `${each} ${value}`).join(", ")})`;
}

/** As training usually is; off is 0, false or null. */
const USUAL: readonly (readonly [name: string, value: unknown])[] = [
  ["accumulate", 1],
  ["precision", "fp32"],
  ["decayBiasesAndNorms", true],
];

/** What of the recipe is not as usual, and the batch. */
const recipeFacts = (recipe: object | undefined): Facts =>
  Object.entries(recipe ?? {}).flatMap(([name, value]) =>
    !value || USUAL.some(([each, usual]) => each === name && usual === value)
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
