/** @file The learning rate of every update, all arms in one figure. */

import { at, get } from "../../core/at.ts";
import type { ScheduleSpec } from "../../record/index.ts";
import { describeSchedule, scheduleFromJSON, scheduleTypes } from "../../schedules/index.ts";
import { sampledRates } from "../../schedules/sampled.ts";
import { type Figure, lineFigure } from "../draw.ts";
import { formatRate } from "../format.ts";
import { epochAxis, linearRateAxis, logRateAxis, updateAxis } from "../plot/axes.ts";
import type { Line } from "../plot/line-plot.ts";
import { simplified } from "../simplify.ts";
import { textWidth } from "../text-width.ts";
import { rateDomain } from "../ticks.ts";
import type { ReportArm } from "./arms.ts";
import { framesFor } from "./curves.ts";
import { endLabels } from "./end-labels.ts";

interface Planned {
  readonly arm: ReportArm;
  readonly spec: ScheduleSpec;
  readonly updates: number;
  readonly updatesPerEpoch: number;
}

/** More than this between the greatest rates, and a linear axis flattens the lesser ones. */
const WIDE_RATIO = 8;

/**
 * Rates of the schedules that trials state, seeds of an arm with equal schedules once; null where
 * no schedule is known. On a log axis where the arms' rates are far apart, else on a linear one.
 */
export function learningRateFigure(
  arms: readonly ReportArm[],
): { readonly figure: Figure; readonly caption: string } | null {
  const planned = arms.flatMap((arm) => {
    const distinct = new Map<string, Planned>();
    for (const { trial } of arm.trials)
      if (scheduleTypes.includes(trial.schedule.type))
        distinct.set(JSON.stringify(trial.schedule), {
          arm,
          spec: trial.schedule,
          updates: Math.max(1, Math.round(trial.epochs * trial.updatesPerEpoch)),
          updatesPerEpoch: Math.max(1, trial.updatesPerEpoch),
        });
    return [...distinct.values()];
  });
  if (planned.length === 0) return null;
  const curves = planned.map((plan) => ({ ...plan, points: traced(plan) }));
  const rates = curves.flatMap(({ points }) => points.map(({ lr }) => lr));
  const positive = rates.filter((rate) => rate > 0);
  const peaks = curves.map(({ points }) => points.reduce((most, { lr }) => Math.max(most, lr), 0));
  const greatest = Math.max(...peaks);
  const linear = linearRateAxis("learning rate", greatest > 0 ? greatest * 1.08 : 1);
  const log =
    positive.length > 0
      ? [
          logRateAxis(
            "learning rate (log scale)",
            rateDomain([
              Math.max(
                positive.reduce((a, b) => Math.min(a, b)),
                greatest * 1e-6,
              ),
              greatest,
            ]),
          ),
        ]
      : [];
  const apart = Math.max(...peaks) / Math.max(Math.min(...peaks), Number.MIN_VALUE);
  // What begins beside another line of the same rate is labelled once, with both names.
  const shared = new Map<string, string[]>();
  for (const { arm, spec, points } of curves) {
    const key =
      spec.type === "constant"
        ? String(at(points, -1, "points").lr)
        : `${arm.name} ${points.length}`;
    shared.set(key, [...new Set([...(shared.get(key) ?? []), arm.name])]);
  }
  const ends = endLabels(curves.map(({ arm }) => arm.name));
  const lines = curves.map(({ arm, spec, points, updatesPerEpoch }): Line => {
    const constant = spec.type === "constant";
    const names = constant
      ? get(shared, String(at(points, -1, "points").lr), "shared")
      : [arm.name];
    const [wide, narrow] = ends(arm.name);
    const rest = names.slice(1);
    const beside = (side: 0 | 1, room: number) => {
      const all = names.map((name) => ends(name)[side]).join(", ");
      return textWidth(all) <= room ? all : `${[wide, narrow][side]} +${rest.length}`;
    };
    return {
      key: arm.name,
      name: arm.label,
      ...(arm.label === arm.name ? {} : { legend: arm.label }),
      colour: arm.look.colour,
      dash: arm.look.dash,
      x: [
        points.map(({ update }) => update),
        points.map(({ update }) => Number((update / updatesPerEpoch).toPrecision(6))),
      ],
      y: points.map(({ lr }) => Number(lr.toPrecision(4))),
      continuous: true,
      ...(names[0] !== arm.name
        ? {}
        : {
            labels: [
              `${rest.length > 0 ? beside(0, 200) : wide}${constant ? ` ${formatRate(at(points, 0, "points").lr)}` : ""}`,
              rest.length > 0 ? beside(1, 112) : narrow,
            ] as const,
          }),
    };
  });
  const updates = Math.max(...planned.map((plan) => plan.updates));
  const epochs = Math.max(...planned.map((plan) => plan.updates / plan.updatesPerEpoch));
  const caption = `${arms
    .flatMap((arm) => {
      const own = planned.filter((plan) => plan.arm === arm);
      return own.length === 0
        ? []
        : [
            `${arm.label}: ${describeSchedule(at(own, 0, "schedules").spec)}${own.length > 1 ? " (its seeds differ)" : ""}`,
          ];
    })
    .join(" · ")}.`;
  return {
    caption,
    figure: lineFigure(
      {
        name: "learning-rate",
        x: [updateAxis(0, updates), { ...epochAxis(epochs), low: 0, title: "epoch" }],
        y: apart > WIDE_RATIO && log.length > 0 ? [...log, linear] : [linear, ...log],
        frames: framesFor(lines, { wide: 300, narrow: 250, left: 48 }),
        lines,
        bands: [],
      },
      { label: `Learning rate against update. ${caption}` },
    ),
  };
}

/** Points of the schedule; those that lie on a line between their neighbours are left out. */
function traced({ spec, updates }: Pick<Planned, "spec" | "updates">) {
  const points = sampledRates(scheduleFromJSON(spec), updates).filter(({ lr }) =>
    Number.isFinite(lr),
  );
  return simplified(points, 2e-3 * points.reduce((most, { lr }) => Math.max(most, lr), 0));
}
