/** @file How it was run: what each trial used, what went wrong, and how to run it again. */

import { isMixed, machineText } from "../../analysis/index.ts";
import { commandOfStudy, RUN, type StudyCommand } from "../../arms/study-command.ts";
import { shellLine } from "../../core/shell.ts";
import { augmentationWords } from "../../data/augment.ts";
import {
  type ExperimentRecord,
  LAST_LAYER_WORDS,
  type Prolongation,
  type TrialHistory,
  type TrialRecord,
} from "../../record/index.ts";
import { describeSchedule, scheduleTypes } from "../../schedules/index.ts";
import type { ReportArm } from "../figures/arms.ts";
import { counted, duration, formatRate, grouped, listed, mebibytes, percent } from "../format.ts";
import { html, type Markup, trusted } from "../html.ts";
import type { ReportInput } from "../types.ts";
import { scrolling } from "./figures.ts";

type Facts = readonly (readonly [name: string, value: string])[];

const definitions = (facts: Facts) =>
  html`<dl class="facts">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;

export function protocolSection(
  { experiment, experiments = [] }: ReportInput,
  arms: readonly ReportArm[],
): Markup {
  const trials = arms.flatMap((arm) => arm.trials);
  return html`<section id="protocol"><h2>Protocol</h2>
${definitions(protocolFacts(experiment, arms))}
${experiments.length > 1 && experimentsTable(experiments, areParts({ experiment, experiments }))}
${wholeNames(arms)}${trials.length > 0 && trialsTable(arms)}
${failures(arms)}${brokenFiles(experiment)}${copiesOf(experiment)}</section>`;
}

/** What shortened labels stand for. */
function wholeNames(arms: readonly ReportArm[]): Markup | null {
  const short = arms.filter(({ name, label }) => name !== label);
  if (short.length === 0) return null;
  return html`<h3 id="arms">Arms by their whole names</h3>${definitions(short.map(({ name, label }) => [label, name]))}`;
}

function protocolFacts(
  { protocol, dataset, model, features, specification }: ExperimentRecord,
  arms: readonly ReportArm[] = [],
): Facts {
  const made = specification?.prolonged ?? [];
  return [
    ["Model", `${model.name}, ${grouped(model.parameters)} parameters`],
    ...(model.pretrained ? [["Began from", beginningOf(model.pretrained)] as const] : []),
    [
      "Budget",
      `${counted(protocol.epochs, "epoch")} of ${counted(protocol.updatesPerEpoch, "update")}${made.map(longerWords).join("")}`,
    ],
    ["Batch", `${protocol.batch}${protocol.dropLast ? ", last partial batch dropped" : ""}`],
    ["Seeds", protocol.seeds.join(", ")],
    [
      "Split",
      protocol.validation === null
        ? "the source’s own parts"
        : `${percent(protocol.validation)} for validation, stratified, split seed ${protocol.splitSeed}; the same for every arm and seed`,
    ],
    ["Augmentation", augmentationWords(protocol.augment)],
    ["Precision", `${protocol.precision}, ${counted(protocol.threads, "thread")}`],
    [
      "Regularisation",
      listed([
        `weight decay ${formatRate(protocol.weightDecay)}`,
        `label smoothing ${formatRate(protocol.labelSmoothing)}`,
        protocol.clip === null ? "no gradient clipping" : `gradients clipped to ${protocol.clip}`,
      ]),
    ],
    ...momentumFacts(arms, protocol.momentum),
    ...(features
      ? [
          [
            "Feature cache",
            `${counted(features.views, "view")} of each training image, ${mebibytes(features.bytes)}; made in ${duration(features.seconds)}, which no trial’s time contains`,
          ] as const,
        ]
      : []),
    [
      "Channels",
      `mean ${dataset.mean.map(short).join(", ")}; standard deviation ${dataset.std.map(short).join(", ")}`,
    ],
    ...optionsOn(protocol).map(([name, value]): Facts[number] => [
      inWords(name),
      shownOption(name, value),
    ]),
  ];
}

/** "resnet18.pth (SHA-256 0a1b2c3d ...); the last layer has another width there, and begins anew" */
function beginningOf({
  source,
  sha256,
  lastLayer,
  state,
}: NonNullable<ExperimentRecord["model"]["pretrained"]>): string {
  const why = lastLayer === undefined ? null : LAST_LAYER_WORDS[lastLayer];
  return [
    `${source} (SHA-256 ${sha256.slice(0, 8)} ...)`,
    ...(state === undefined ? [] : [`those that it was evaluated with, “${state}”`]),
    // Records of version 0.1 do not say.
    ...(lastLayer === undefined ? [] : [why ?? "the last layer is kept: its classes are these"]),
  ].join("; ");
}

/** The momentum that trials really used, arm by arm where it is not the same; without trials what was asked for. */
function momentumFacts(arms: readonly ReportArm[], asked: number): Facts {
  const used = arms.flatMap(({ label: name, trials: [first] }) => {
    const { optimizer, hyperparameterSchedules = {} } = first?.trial ?? {};
    const scheduled = ["momentum", "beta1"].find((known) => known in hyperparameterSchedules);
    if (scheduled) return [{ name, value: scheduledWords(scheduled, hyperparameterSchedules) }];
    const constant = optimizer?.hyperparameters.momentum;
    return constant === undefined ? [] : [{ name, value: String(constant) }];
  });
  if (used.length === 0) return [["Momentum of SGD", String(asked)]];
  const values = [...new Set(used.map(({ value }) => value))];
  const of = (wanted: string) =>
    listed(used.filter(({ value }) => value === wanted).map(({ name }) => name));
  return [["Momentum", values.map((value) => `${value} (${of(value)})`).join("; ")]];
}

/** "0.9 down to 0.8 as the rate rises" */
function scheduledWords(
  name: string,
  { [name]: schedule }: NonNullable<TrialRecord["hyperparameterSchedules"]>,
): string {
  const what = name === "momentum" ? "" : `${name} `;
  if (schedule?.type === "inverseMomentum")
    return `${what}${schedule.high} down to ${schedule.low} as the rate rises`;
  return `${what}${schedule ? describeSchedule(schedule) : "?"}`;
}

/** Options of the protocol that only some records have, where they are on: named as they are. */
function optionsOn(protocol: ExperimentRecord["protocol"]): [name: string, value: unknown][] {
  const known = new Set(
    [
      "epochs batch seeds updatesPerEpoch augment validation splitSeed dropLast precision threads",
      "momentum weightDecay clip labelSmoothing",
    ].flatMap((names) => names.split(" ")),
  );
  return Object.entries(protocol).filter(
    ([name, value]) =>
      !known.has(name) &&
      value !== null &&
      value !== false &&
      value !== undefined &&
      !(name === "accumulate" && value === 1),
  );
}

const shownOption = (name: string, value: unknown): string =>
  name === "time"
    ? `${duration(Number(value))} a trial`
    : name === "pruning"
      ? prunedWords(value as NonNullable<ExperimentRecord["protocol"]["pruning"]>)
      : typeof value === "object"
        ? JSON.stringify(value)
        : String(value);

/** "asha, one arm in 3 goes on, first rung at epoch 3, 2 arms always go on" */
const prunedWords = ({
  method,
  reduction,
  grace = 1,
  finalists,
}: NonNullable<ExperimentRecord["protocol"]["pruning"]>): string =>
  [
    method,
    ...(method === "median" ? [] : [`one arm in ${reduction} goes on`]),
    `first rung at epoch ${grace}`,
    `${counted(finalists, "arm")} always ${finalists === 1 ? "goes" : "go"} on`,
  ].join(", ");

/** "earlyStopping" as "Early stopping". */
const inWords = (name: string) => {
  const spaced = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
};

function trialsTable(arms: readonly ReportArm[]): Markup {
  const stated = arms.some((arm) =>
    arm.trials.some(({ trial }) => hyperparametersOf(trial) !== ""),
  );
  const mixed = isMixed(arms.flatMap(({ trials }) => trials));
  const rows = arms.flatMap((arm) =>
    arm.trials.map(
      ({ trial, metrics }) => html`
<tr><th scope="row">${arm.name}</th><td class="num">${trial.seed}</td><td>${
        scheduleTypes.includes(trial.schedule.type)
          ? describeSchedule(trial.schedule)
          : trial.schedule.type
      }</td><td>${trial.learningRateSource}</td>${stated && html`<td>${hyperparametersOf(trial)}</td>`}<td class="num">${metrics.length} of ${trial.epochs}</td>${mixed ? html`<td>${(trial.machines ?? []).map(machineText).join("; then ")}</td>` : html`<td class="num">${trial.seconds === null ? "–" : duration(trial.seconds)}</td>`}<td>${trial.status}${trial.endedBy && trial.endedBy !== trial.status && `: ${trial.endedBy}`}${trial.rung !== undefined && ` at rung ${trial.rung}`}</td></tr>`,
    ),
  );
  return html`<h3>What each trial used</h3><details${rows.length <= 24 && trusted(" open")}><summary>${counted(rows.length, "trial")}</summary>${scrolling(
    "Trials",
    html`<table class="words">
<thead><tr><th scope="col">arm</th><th scope="col" class="num">seed</th><th scope="col">learning rate</th><th scope="col">where it came from</th>${stated && html`<th scope="col">hyperparameters</th>`}<th scope="col" class="num">epochs</th>${mixed ? html`<th scope="col">machine</th>` : html`<th scope="col" class="num">time</th>`}<th scope="col">status</th></tr></thead>
<tbody>${rows}
</tbody></table>`,
  )}</details>`;
}

/** As each update used them; but the rate, which the schedule says. */
const hyperparametersOf = ({ optimizer, hyperparameterSchedules = {} }: TrialRecord) =>
  Object.entries(optimizer.hyperparameters)
    .filter(([name]) => name !== "learningRate")
    .map(([name, value]) =>
      name in hyperparameterSchedules
        ? `${name === "momentum" ? "momentum " : ""}${scheduledWords(name, hyperparameterSchedules)}`
        : `${name} ${formatRate(value)}`,
    )
    .join(", ");

function failures(arms: readonly ReportArm[]): Markup | null {
  const all = arms.flatMap((arm) =>
    arm.trials.flatMap((entry) => {
      const text = troubleOf(entry);
      return text === null
        ? []
        : [{ text: `${arm.name}, seed ${entry.trial.seed}: ${text}`, entry }];
    }),
  );
  if (all.length === 0) return null;
  return html`<h3>Trials that did not finish</h3><details open><summary>${counted(all.length, "trial")}</summary><ul>${all.map(
    ({ text, entry: { logTail = [] } }) =>
      html`<li>${text}${logTail.length > 0 && html`<pre>${logTail.join("\n")}</pre>`}</li>`,
  )}</ul></details>`;
}

function troubleOf({ trial }: TrialHistory): string | null {
  if (trial.status === "done") return null;
  if (trial.status === "diverged" && trial.divergence) {
    const { update, epoch, learningRate } = trial.divergence;
    return `diverged at update ${grouped(update)} (epoch ${epoch}), learning rate ${formatRate(learningRate)}`;
  }
  if (trial.status === "failed") return `failed: ${trial.failure ?? "no reason recorded"}`;
  return trial.rung === undefined ? trial.status : `${trial.status} at rung ${trial.rung}`;
}

const brokenFiles = ({ dataset: { broken } }: ExperimentRecord) =>
  broken.length > 0 &&
  html`<h3>Broken files, left out</h3><details${broken.length <= 20 && trusted(" open")}><summary>${counted(broken.length, "file")}</summary><ul>${broken.map(
    ({ file, reason }) => html`<li>${file}: ${reason}</li>`,
  )}</ul></details>`;

/** Copies across the split flatter every arm alike; in two classes they bound what any can reach. */
function copiesOf({ dataset: { copies, copiesLeftOut } }: ExperimentRecord) {
  const left = copiesLeftOut
    ? html`<p>${counted(copiesLeftOut, "file")} left out, as others are the same bytes.</p>`
    : null;
  if (!copies) return left;
  const { files, acrossParts, inTwoClasses, groups } = copies;
  return html`${left}<h3>Files that are copies of others</h3><details${groups.length <= 5 && trusted(" open")}><summary>${counted(files, "file")}; ${counted(acrossParts, "picture")} on both sides of the split, ${counted(inTwoClasses, "picture")} in two classes</summary><ul>${groups.map(
    (group) =>
      html`<li>${group.files.join(" = ")}${group.count > group.files.length && ` and ${group.count - group.files.length} more`}</li>`,
  )}</ul></details>`;
}

/** Whether the experiments are parts of one study, whose arms do not carry a part's name. */
const areParts = ({
  experiment,
  experiments,
}: Required<Pick<ReportInput, "experiment" | "experiments">>) =>
  !experiment.arms.some((arm) => experiments.some(({ name }) => arm.name.startsWith(`${name}: `)));

/** Several experiments: what is the same is said above, what differs here. */
function experimentsTable(
  experiments: NonNullable<ReportInput["experiments"]>,
  parts: boolean,
): Markup {
  const facts = experiments.map(({ experiment }) => [
    ["Run", experiment.created] as const,
    ...protocolFacts(experiment),
    ...machineFacts(experiment),
  ]);
  const names = [...new Set(facts.flatMap((own) => own.map(([name]) => name)))];
  const rows = names
    .map((name) => ({
      name,
      values: facts.map((own) => own.find(([other]) => other === name)?.[1] ?? "–"),
    }))
    .filter(({ values }) => new Set(values).size > 1);
  return html`<h3>The experiments</h3>
<p>In what they differ; ${
    parts
      ? "they are parts of one study, and their trials are put together"
      : "arms carry their experiment’s name in front, and each experiment has a dash pattern"
  }.</p>
${scrolling(
  "Differences between the experiments",
  html`<table class="words">
<thead><tr><th scope="col"></th>${experiments.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    ({ name, values }) => html`
<tr><th scope="row">${name}</th>${values.map((value) => html`<td>${value}</td>`)}</tr>`,
  )}
</tbody></table>`,
)}`;
}

function machineFacts({ engine, machine, lrscope }: ExperimentRecord): Facts {
  return [
    ["Engine", engine],
    [
      "Machine",
      [
        machine.processor,
        counted(machine.cores, "core"),
        // A browser does not tell.
        ...(machine.memoryGiB > 0 ? [`${machine.memoryGiB} GiB`] : []),
        machine.platform,
      ].join(", "),
    ],
    ["Versions", `lrscope ${lrscope}, ${machine.node.replace(/^v/, "Node ")}`],
  ];
}

/** "; made longer from 10 after epoch 10, schedules stretched" */
const longerWords = ({ epochs, after, schedule }: Prolongation) =>
  `; made longer from ${epochs} after epoch ${after}, schedules ${schedule === "stretch" ? "stretched" : "continued past their end"}`;

export function reproduceSection({ experiment, experiments = [] }: ReportInput): Markup {
  const all = experiments.length > 1 ? experiments : [{ name: "it", experiment }];
  const commands = all.map((one) => ({ ...one, command: commandOfExperiment(one.experiment) }));
  const lines = commands.flatMap(({ command }) =>
    command.words ? [command.words, ...(command.followedBy ?? [])].map(shellLine) : [],
  );
  const notes = commands.flatMap(({ name, experiment: one, command: { why } }) =>
    why === undefined ? placesOf(one) : [`No command asks for ${name}: ${why}.`],
  );
  return html`<section id="reproduce"><h2>To run it again</h2>
${lines.length > 0 && html`<pre class="command">${[...new Set(lines)].join("\n")}</pre>`}
<p class="note">${[...new Set(notes)].map((note) => `${note} `)}Equal seeds, versions and processor give equal bits.</p>
${definitions([...machineFacts(experiment), ["Data fingerprint", experiment.dataset.fingerprint]])}</section>`;
}

/** The call that makes such an experiment, with names where its records have no places. */
export function commandOfExperiment({ specification, model }: ExperimentRecord): StudyCommand {
  if (specification) return commandOfStudy(specification, { pretrained: model.pretrained?.source });
  const why =
    "its records do not say how it was asked for, as it was made by a program of the library’s own objects, or by an early version of lrscope";
  return { words: null, why };
}

/** What stands in the command for what the records do not place. */
function placesOf({ specification, dataset, model }: ExperimentRecord): string[] {
  const { source, model: network, modelFile, pretrained, files, prolonged } = specification ?? {};
  return [
    ...(prolonged ? [`${RUN} is the folder of the first run, which is then made longer.`] : []),
    ...(source === null ? [`SOURCE is the data set’s folder or file (${dataset.name}).`] : []),
    ...(network === null ? [`${modelFile ?? "NETWORK"} is the file with the network.`] : []),
    ...(files ?? []).map(({ name }) => `${name} is a file that arms are made of.`),
    ...(pretrained === null
      ? [`${model.pretrained?.source ?? "WEIGHTS"} is the file of weights.`]
      : []),
  ];
}

const short = (value: number) => value.toFixed(3);
