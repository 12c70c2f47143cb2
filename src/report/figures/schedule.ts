/**
 * @file Schedules: a figure for each that varies, on a linear axis where its shape can be seen, and
 * one for all constant rates together, on a log axis where they fit.
 */

import type { ScheduleSpec } from "../../record/index.ts";
import { describeSchedule, scheduleFromJSON, scheduleTypes } from "../../schedules/index.ts";
import { type Chart, type Figure, type Layer, yTitle } from "../draw.ts";
import { formatRate, listed } from "../format.ts";
import { placeLabels } from "../labels.ts";
import { fitted, widest } from "../text-width.ts";
import { decades, linearTicks, rateDomain } from "../ticks.ts";
import type { ReportArm } from "./arms.ts";
import { RATE_LABEL, updateAxis } from "./range-test.ts";

export interface ScheduleFigure {
  readonly figure: Figure;
  readonly caption: string;
}

interface Planned {
  readonly arm: ReportArm;
  readonly spec: ScheduleSpec;
  readonly updates: number;
}

/** Figures of the schedules that trials state; seeds of an arm with equal schedules once. */
export function scheduleFigures(arms: readonly ReportArm[]): ScheduleFigure[] {
  const planned = arms.flatMap((arm) => {
    const distinct = new Map<string, Planned>();
    for (const { trial } of arm.trials)
      if (scheduleTypes.includes(trial.schedule.type))
        distinct.set(JSON.stringify(trial.schedule), {
          arm,
          spec: trial.schedule,
          updates: Math.max(1, Math.round(trial.epochs * trial.updatesPerEpoch)),
        });
    return [...distinct.values()];
  });
  const constants = planned.filter(({ spec }) => spec.type === "constant");
  const varying = arms
    .map((arm) => planned.filter((plan) => plan.arm === arm && plan.spec.type !== "constant"))
    .filter((plans) => plans.length > 0);
  return [
    ...varying.map((plans) => varyingFigure(plans)),
    ...(constants.length > 0 ? [constantFigure(constants)] : []),
  ];
}

function varyingFigure(plans: readonly Planned[]): ScheduleFigure {
  const { arm, updates, spec } = plans[0]!;
  const curves = plans.map((plan) => traced(plan));
  const greatest = Math.max(...curves.flatMap((points) => points.map((p) => p.lr)));
  const caption = `${arm.name}: ${describeSchedule(spec)}${
    plans.length > 1 ? "; its seeds differ" : ""
  }`;
  return {
    caption,
    figure: {
      name: `schedule-${arm.slug}`,
      label: `Learning rate against update. ${caption}`,
      half: true,
      chart: (width) => ({
        ...frame(width),
        layers: curves.map((points) => ({
          data: { values: points },
          mark: { type: "line", color: arm.look.colour, strokeWidth: 2, strokeJoin: "round" },
          encoding: {
            x: updateAxis("update", [0, updates]),
            y: {
              field: "lr",
              type: "quantitative",
              scale: { domain: [0, greatest * 1.08], nice: false },
              axis: {
                ...yTitle("learning rate", LEFT),
                values: linearTicks(0, greatest * 1.08, 5),
                labelExpr: RATE_LABEL_FINE,
              },
            },
          },
        })),
      }),
    },
  };
}

/** As RATE_LABEL, with as many digits as a linear axis needs. */
export const RATE_LABEL_FINE =
  "datum.value == 0 || datum.value >= 0.001 ? format(datum.value, '~r') : " +
  "replace(replace(format(datum.value, '.1e'), '+', ''), '.0e', 'e')";

function constantFigure(plans: readonly Planned[]): ScheduleFigure {
  // Arms at the same rate share a line, and a label that names them all.
  const byRate = new Map<number, Planned[]>();
  for (const plan of plans) {
    const rate = plan.spec.rate as number;
    byRate.set(rate, [...(byRate.get(rate) ?? []), plan]);
  }
  const groups = [...byRate].sort(([a], [b]) => b - a);
  const caption = `Constant: ${listed(
    groups.map(
      ([rate, own]) => `${listed(own.map((plan) => plan.arm.name))} at ${formatRate(rate)}`,
    ),
  )}`;
  return {
    caption,
    figure: {
      name: "schedule-constant",
      label: `Learning rates of the arms that keep theirs. ${caption}`,
      half: true,
      chart: (width) => constantChart(groups, width),
    },
  };
}

function constantChart(
  groups: readonly (readonly [number, readonly Planned[]])[],
  width: number,
): Chart {
  const texts = groups.map(([rate, own]) => {
    const names = own.map((plan) => plan.arm.name).join(", ");
    return `${fitted(names, 142)} ${formatRate(rate)}`;
  });
  const shape = frame(width, { right: 18 + widest(texts), height: groups.length * 16 + 90 });
  const plotHeight = shape.height - shape.margins.top - shape.margins.bottom;
  const plotWidth = width - shape.margins.left - shape.margins.right;
  const domain = rateDomain(groups.map(([rate]) => rate));
  const updates = Math.max(...groups.flatMap(([, own]) => own.map((plan) => plan.updates)));
  const yAt = (rate: number) =>
    plotHeight * (1 - Math.log(rate / domain[0]) / Math.log(domain[1] / domain[0]));
  const places = placeLabels(
    groups.map(([rate]) => yAt(rate)),
    { gap: 16, low: 2, high: plotHeight - 2 },
  );
  const y = {
    field: "lr",
    type: "quantitative",
    scale: { type: "log", domain, nice: false },
    axis: {
      ...yTitle("learning rate (log scale)", LEFT),
      values: decades(domain[0], domain[1], 8),
      labelExpr: RATE_LABEL,
    },
  };
  const lines = groups.map(
    ([rate, own]): Layer => ({
      data: {
        values: [
          { update: 0, lr: rate },
          { update: updates, lr: rate },
        ],
      },
      mark: { type: "line", color: own[0]!.arm.look.colour, strokeWidth: 2 },
      encoding: { x: updateAxis("update", [0, updates], "update", 3), y },
    }),
  );
  const labels = groups.map(([, own], i) => ({
    text: texts[i]!,
    x: plotWidth + 14,
    y: places[i]!.placed,
    from: plotWidth + 3,
    to: plotWidth + 11,
    at: places[i]!.wanted,
    colour: own[0]!.arm.look.colour,
  }));
  const pixel = (field: string) => ({ field, type: "quantitative", scale: null, axis: null });
  const coloured = { field: "colour", type: "nominal", scale: null, legend: null };
  return {
    ...shape,
    layers: [
      ...lines,
      {
        data: { values: labels },
        mark: { type: "rule", strokeWidth: 1, opacity: 0.55 },
        encoding: {
          x: pixel("from"),
          x2: { field: "to" },
          y: pixel("at"),
          y2: { field: "y" },
          stroke: coloured,
        },
      },
      {
        data: { values: labels },
        mark: { type: "text", align: "left", baseline: "middle", fontWeight: 600 },
        encoding: { x: pixel("x"), y: pixel("y"), text: { field: "text" }, color: coloured },
      },
    ],
  };
}

const LEFT = 48;

const frame = (width: number, { right = 18, height = 0 } = {}) => ({
  width,
  height: Math.max(250, height),
  margins: { top: 36, right, bottom: 44, left: LEFT },
});

/** Points of the schedule; those that lie on a line between their neighbours are left out. */
export function traced({ spec, updates }: Pick<Planned, "spec" | "updates">): {
  update: number;
  lr: number;
}[] {
  const schedule = scheduleFromJSON(spec);
  const stride = Math.max(1, Math.floor(updates / 20_000));
  const points: { update: number; lr: number }[] = [];
  for (let update = 0; update <= updates; update += stride)
    points.push({ update, lr: schedule(update) });
  const tolerance = 2e-3 * Math.max(...points.map((p) => p.lr));
  return simplified(points, tolerance);
}

/** Douglas and Peucker's selection, vertical distance: no point moves by more than `tolerance`. */
export function simplified<P extends { update: number; lr: number }>(
  points: P[],
  tolerance: number,
): P[] {
  const kept = new Set([0, points.length - 1]);
  const open: [number, number][] = [[0, points.length - 1]];
  for (let range = open.pop(); range; range = open.pop()) {
    const [from, to] = range;
    const a = points[from]!;
    const b = points[to]!;
    let worst = tolerance;
    let at = -1;
    for (let i = from + 1; i < to; i++) {
      const p = points[i]!;
      const onLine = a.lr + ((b.lr - a.lr) * (p.update - a.update)) / (b.update - a.update);
      const distance = Math.abs(p.lr - onLine);
      if (distance > worst) {
        worst = distance;
        at = i;
      }
    }
    if (at >= 0) {
      kept.add(at);
      open.push([from, at], [at, to]);
    }
  }
  return points.filter((_, i) => kept.has(i));
}
