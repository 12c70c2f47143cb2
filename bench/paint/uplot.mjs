// Four charts by uPlot: seeds, bands and means as its series, all on its canvas.
import uPlot from "uplot";
import { chartData, colourOf, curves, EPOCHS, MEASURES } from "./data.ts";
import { HEIGHT, offer, places, timed, WIDTH } from "./timed.ts";

const of = curves();
const columns = ({ epochs, arms }) => [
  epochs,
  ...arms.flatMap(({ seeds, low, high, mean }) => [...seeds, high, low, mean]),
];
const thin = (stroke) => ({ stroke, width: 1, alpha: 0.22, points: { show: false } });
const data = MEASURES.map((measure) => columns(chartData(of, measure)));
const longer = MEASURES.map((measure) => columns(chartData(of, measure, EPOCHS + 1)));
const series = [{}];
const bands = [];
for (const [arm, { seeds }] of chartData(of, MEASURES[0], 1).arms.entries()) {
  const colour = colourOf(arm);
  for (const _ of seeds) series.push(thin(colour));
  const high = series.length;
  series.push({ points: { show: false }, width: 0 }, { points: { show: false }, width: 0 });
  bands.push({ series: [high, high + 1], fill: colour.replace(")", " / 0.1)") });
  series.push({ stroke: colour, width: 2, points: { show: false } });
}
const charts = [];
const options = {
  width: WIDTH,
  height: HEIGHT,
  scales: { x: { time: false } },
  legend: { show: false },
};
const at = places();
offer({
  paint: () =>
    timed(() => {
      for (const [i, each] of data.entries())
        charts.push(new uPlot({ ...options, series, bands }, each, at[i]));
    }),
  update: () =>
    timed(() => {
      for (const [i, chart] of charts.entries()) chart.setData(longer[i]);
    }),
});
