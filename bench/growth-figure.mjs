// The figures of how a step's cost grows, drawn as the report draws its lines.
/** Cost for each thousand pixels against `kind`; `line(kind, threads)` gives the points. As SVG. */
export async function growthFigure(kind, line) {
  const { draw, lineFigure } = await import("../dist/report/draw.js");
  const medians = [1, 2].flatMap((count) => line(kind, count).map((p) => p.usPerKilopixel));
  const greatest = Math.max(...medians) * 1.15;
  const lines = [1, 2].map((count) => {
    const points = line(kind, count);
    const each = (pick) =>
      points.map((p) => Math.min(greatest, (pick(p) / p.medianMs) * p.usPerKilopixel));
    const name = `${count} thread${count === 1 ? "" : "s"}`;
    return {
      key: name,
      name,
      colour: `var(--lr-${count})`,
      dash: [1, 0],
      dots: true,
      x: [points.map((p) => p[kind])],
      y: points.map((p) => p.usPerKilopixel),
      bands: { range: { low: each((p) => p.minMs), high: each((p) => p.maxMs) } },
      labels: [name, name],
    };
  });
  const at = lines[0].x[0];
  const step = greatest > 1000 ? 250 : 100;
  const rows = Array.from({ length: Math.floor(greatest / step) + 1 }, (_, i) => i * step);
  const ticks = (values) => values.map((value) => ({ at: value, text: String(value) }));
  const frame = { height: 300, top: 24, right: 80, bottom: 44, left: 56 };
  const { standalone } = draw(
    lineFigure(
      {
        name: `growth-${kind}`,
        x: [
          {
            title: kind === "batch" ? "images a batch, at 128x128" : "pixels a side, batch 64",
            choice: "",
            format: "count",
            low: at[0],
            high: at.at(-1),
            log: true,
            ticks: ticks(at),
            fewTicks: ticks(at),
          },
        ],
        y: [
          {
            title: "microseconds for 1000 pixels",
            choice: "",
            format: "number",
            low: 0,
            high: greatest,
            log: false,
            ticks: ticks(rows),
            fewTicks: ticks(rows),
          },
        ],
        frames: [frame, frame],
        lines,
        bands: [{ name: "range", choice: "least to greatest" }],
      },
      {
        label: `Microseconds of a vanilla training step for each thousand pixels, against ${kind}, on 1 and 2 threads`,
      },
    ),
  );
  return standalone;
}
