// The table of the live page in docs/performance.md, from what bench/paint.ts measured.
export function paintTable(
  { arms, seeds, epochs, charts, rows, processor, chromium, node },
  { table, spread },
) {
  return [
    `${processor}; Chromium ${chromium}, drawing by processor; Node ${node}`,
    "",
    table(
      [
        `${arms * seeds} runs x ${epochs} epochs x ${charts} charts`,
        "first paint, ms: median (least - greatest)",
        "one more epoch, ms",
      ],
      rows.map((row) => [row.name, spread(row.paint), spread(row.update)]),
    ),
  ].join("\n");
}
