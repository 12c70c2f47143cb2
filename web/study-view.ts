/** @file What of a study's curves is shown, as its address says it: each choice is in the address, and from there again. */

import type { TrialHistory } from "../src/record/index.ts";
import type { ReportArm } from "../src/report/figures/arms.ts";
import type { LinePlot } from "../src/report/plot/line-plot.ts";
import type { ShownSpread, Standings } from "../src/report/standings.ts";
import { setState } from "./address.ts";
import type { ChartView } from "./chart.ts";
import { ACROSS, BANDS, RANKS, SPREADS, VERTICALS } from "./choices.ts";

/** One choice among several, kept in the address unless it is the first. */
type Choices = {
  across: (typeof ACROSS)[number];
  band: (typeof BANDS)[number];
  loss: (typeof VERTICALS)[number];
  rank: "last" | "best";
  spread: ShownSpread;
};

export interface StudyView {
  readonly chosen: Choices;
  readonly logAcross: boolean;
  readonly smoothing: number;
  readonly seeds: boolean;
  readonly failed: boolean;
  readonly hidden: readonly string[];
  /** Runs, by their folders' names, whose own lines are not drawn. */
  readonly hiddenRuns: ReadonlySet<string>;
  readonly colours: ReadonlyMap<string, string>;
  set(
    change: Partial<Choices> & {
      logAcross?: boolean;
      smoothing?: number;
      seeds?: boolean;
      failed?: boolean;
    },
  ): void;
  hide(key: string, hidden: boolean): void;
  hideRun(run: string, hidden: boolean): void;
  colour(arm: string, colour: string | null): void;
  /** Place of the chosen axis among the vertical ones of a plot. */
  vertical(plot: LinePlot): number;
  /** @param lost arms of which no run came through: hidden with those */
  of(plot: LinePlot, lost?: readonly string[]): ChartView;
  /** How the tables set arms against each other. */
  standings(): Standings;
  drawn(): {
    smoothing: number;
    colours: ReadonlyMap<string, string>;
    failed: boolean;
    band: string;
  };
}

const LOST: readonly string[] = ["failed", "diverged"];

/** Arms of which every run so far failed or diverged. */
export const lostArms = (arms: readonly Pick<ReportArm, "name" | "trials">[]): string[] =>
  arms.flatMap(({ name, trials }) => (trials.length > 0 && trials.every(isLost) ? [name] : []));

export const isLost = ({ trial }: Pick<TrialHistory, "trial">): boolean =>
  LOST.includes(trial.status);

export function viewOf(state: URLSearchParams): StudyView {
  const among = <T extends string>(name: string, all: readonly T[]): T =>
    all.find((each) => each === state.get(name)) ?? (all[0] as T);
  const chosen: Choices = {
    across: among("across", ACROSS),
    band: among("band", BANDS),
    loss: among("loss", VERTICALS),
    rank: among("rank", RANKS),
    spread: among("spread", SPREADS),
  };
  const asked = Number(state.get("smooth") ?? 0);
  const values = {
    logAcross: state.get("log") === "1",
    smoothing: asked > 0 && asked < 1 ? asked : 0,
    seeds: state.get("seeds") !== "0",
    failed: state.get("failed") !== "0",
  };
  const hidden = new Set(state.getAll("hide"));
  const hiddenRuns = new Set(state.getAll("run"));
  const colours = new Map(
    state.getAll("colour").flatMap((text) => {
      // An arm may have "=" in its name: adam(beta1=0.8).
      const [, arm, colour] = /^(.+)=(#[0-9a-f]{6})$/s.exec(text) ?? [];
      return arm && colour ? [[arm, colour] as const] : [];
    }),
  );
  const view: StudyView = {
    chosen,
    colours,
    hiddenRuns,
    get logAcross() {
      return values.logAcross;
    },
    get smoothing() {
      return values.smoothing;
    },
    get seeds() {
      return values.seeds;
    },
    get failed() {
      return values.failed;
    },
    get hidden() {
      return [...hidden];
    },
    set({ logAcross, smoothing, seeds, failed, ...change }) {
      Object.assign(chosen, change);
      Object.assign(
        values,
        Object.fromEntries(
          Object.entries({ logAcross, smoothing, seeds, failed }).filter(
            ([, v]) => v !== undefined,
          ),
        ),
      );
      setState({
        across: chosen.across === "epoch" ? null : chosen.across,
        band: chosen.band === "range" ? null : chosen.band,
        loss: chosen.loss === "linear" ? null : chosen.loss,
        rank: chosen.rank === "last" ? null : chosen.rank,
        spread: chosen.spread === "interval" ? null : chosen.spread,
        log: values.logAcross ? "1" : null,
        smooth: values.smoothing > 0 ? String(values.smoothing) : null,
        seeds: values.seeds ? null : "0",
        failed: values.failed ? null : "0",
      });
    },
    hide(key, isHidden) {
      if (isHidden) hidden.add(key);
      else hidden.delete(key);
      setState({ hide: [...hidden] });
    },
    hideRun(run, isHidden) {
      if (isHidden) hiddenRuns.add(run);
      else hiddenRuns.delete(run);
      setState({ run: [...hiddenRuns] });
    },
    colour(arm, colour) {
      if (colour === null) colours.delete(arm);
      else colours.set(arm, colour);
      setState({ colour: [...colours].map(([name, value]) => `${name}=${value}`) });
    },
    vertical(plot) {
      if (plot.y.length === 1) return 0;
      const found = plot.y.findIndex(({ choice }) => choice === chosen.loss);
      return Math.max(0, found);
    },
    of(plot, lost = []) {
      const across = ACROSS.indexOf(chosen.across);
      return {
        x: across + (values.logAcross ? ACROSS.length : 0),
        y: view.vertical(plot),
        band: chosen.band === "none" ? "" : chosen.band,
        hidden: values.failed ? [...hidden] : [...hidden, ...lost],
      };
    },
    standings: () => ({
      by: chosen.rank === "best" ? "bestValidationAccuracy" : "finalValidationAccuracy",
      spread: chosen.spread,
    }),
    drawn: () => ({ ...values, colours, band: chosen.band }),
  };
  return view;
}
