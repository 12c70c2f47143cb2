// The figure of docs/scale.md, of what bench/scale.mjs printed: node bench/scale-figure.mjs RESULTS.jsonl > docs/images/scale.svg
import { readFileSync } from "node:fs";

const { draw, lineFigure } = await import("../dist/report/draw.js");
const sizes = readFileSync(process.argv[2], "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const { trials, curve } = sizes.reduce((most, size) => (size.trials > most.trials ? size : most));
const x = curve.map(({ settled }) => settled);
// Of each tenth of the trials its own part, so that a cost that grew with what is there would show.
const each = curve.map(({ settled, seconds }, i) => {
  const before = curve[i - 1] ?? { settled: 0, seconds: sizes.at(-1).submitSeconds };
  return (1000 * (seconds - before.seconds)) / (settled - before.settled);
});
const line = (number, name, y) => ({
  key: name,
  name,
  colour: `var(--lr-${number})`,
  ...{ dash: [1, 0], dots: true, x: [x], y },
  bands: {},
  labels: [name, name],
});
const ticks = (values) => values.map((at) => ({ at, text: at.toLocaleString("en-US") }));
const heap = curve.map(({ heapMiB }) => heapMiB / 100);
const greatest = 1.2 * Math.max(...each, ...heap);
const frame = { height: 300, top: 24, right: 150, bottom: 44, left: 56 };
const { standalone } = draw(
  lineFigure(
    {
      name: "scale",
      x: [
        {
          ...{ title: "trials that have ended", choice: "", format: "count", log: false },
          ...{ low: 0, high: trials },
          ticks: ticks([0, trials / 4, trials / 2, (3 * trials) / 4, trials]),
          fewTicks: ticks([0, trials / 2, trials]),
        },
      ],
      y: [
        {
          ...{ title: "ms a trial; hundreds of MiB", choice: "", format: "number", log: false },
          ...{ low: 0, high: greatest },
          ticks: ticks(Array.from({ length: Math.floor(greatest / 0.5) + 1 }, (_, i) => i / 2)),
          fewTicks: ticks([0, 1]),
        },
      ],
      frames: [frame, frame],
      lines: [line(1, "CPU, ms a trial", each), line(2, "heap, 100 MiB", heap)],
      bands: [],
    },
    {
      label: `Of ${trials.toLocaleString("en-US")} trials on 1,000 workers: the coordinator's processor time for a trial, and its heap, against the trials that have ended`,
    },
  ),
);
process.stdout.write(standalone);
