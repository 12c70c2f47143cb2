// Four charts by Observable Plot: an area a band, a line a seed and a line a mean.
import { areaY, lineY, plot } from "@observablehq/plot";
import { chartData, colourOf, curves, EPOCHS, MEASURES } from "./data.ts";
import { HEIGHT, offer, places, timed, WIDTH } from "./timed.ts";

const of = curves();
const rowsOf = ({ epochs, arms }) => ({
  means: arms.flatMap(({ mean, low, high }, arm) =>
    epochs.map((epoch, i) => ({ epoch, arm, mean: mean[i], low: low[i], high: high[i] })),
  ),
  seeds: arms.flatMap(({ seeds }, arm) =>
    seeds.flatMap((values, seed) =>
      epochs.map((epoch, i) => ({ epoch, arm, trial: `${arm} ${seed}`, value: values[i] })),
    ),
  ),
});
const data = MEASURES.map((measure) => rowsOf(chartData(of, measure)));
const longer = MEASURES.map((measure) => rowsOf(chartData(of, measure, EPOCHS + 1)));
const colour = ({ arm }) => colourOf(arm);
const chart = ({ means, seeds }) =>
  plot({
    width: WIDTH,
    height: HEIGHT,
    marks: [
      lineY(seeds, {
        x: "epoch",
        y: "value",
        z: "trial",
        stroke: colour,
        strokeOpacity: 0.22,
        strokeWidth: 1,
      }),
      areaY(means, { x: "epoch", y1: "low", y2: "high", z: "arm", fill: colour, fillOpacity: 0.1 }),
      lineY(means, { x: "epoch", y: "mean", z: "arm", stroke: colour, strokeWidth: 2 }),
    ],
  });
const at = places();
const draw = (all) => () => {
  for (const [i, each] of all.entries()) at[i].replaceChildren(chart(each));
};
offer({ paint: () => timed(draw(data)), update: () => timed(draw(longer)) });
