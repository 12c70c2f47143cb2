// Writes the tables between <!-- bench:NAME --> and <!-- /bench:NAME --> in docs/performance.md, and
// docs/images/growth-*.svg, from the JSON in bench/results/. What was not measured is left as it is.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { accuracyTable } from "./accuracy-table.mjs";
import { growthFigure } from "./growth-figure.mjs";
import { paintTable } from "./paint/table.mjs";

const root = new URL("../", import.meta.url);
const page = new URL("docs/performance.md", root);
const read = (name) => {
  const file = new URL(`results/${name}.json`, import.meta.url);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
};

const ms = (value) => (value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0));
const table = (heading, rows) =>
  [heading, heading.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
const spread = ({ medianMs, minMs, maxMs }) => `${ms(medianMs)} (${ms(minMs)} - ${ms(maxMs)})`;
// Records of before peers had roles name the tuned one by its layout.
const ROLES = { tuned: "channels_last", "as installed": "as installed" };
const peer = (record, role) =>
  record.peers.find((one) => (one.role ? one.role === role : one.name.includes(ROLES[role])));
const times = (record, role) => {
  const found = peer(record, role);
  return found ? `${found.ratio.toFixed(2)}x` : "absent";
};
/** "2.15.0, channels_last, compiled" */
const setting = (record, role) =>
  peer(record, role)?.name.replace(/^pytorch |, \d+ threads?$/g, "") ?? "absent";
const where = ({ machine, engine }) => `${machine.processor}; ${engine}; Node ${machine.node}`;
const blocks = {};

// What is to be reached beside the tuned PyTorch 2.15, and of the limit.
const steps = [
  ["vanilla, batch 64, 128x128", "step-vanilla", "3.5x"],
  ["the same, bf16", "step-vanilla-bf16", "2.4x"],
  ["ResNet-34, batch 128, 64x64", "step-resnet34-64", "2.3x"],
  ["ResNet-34, batch 16, 224x224", "step-resnet34-224", "2.4x"],
  ["the same, bf16", "step-resnet34-224-bf16", "1.9x"],
  ["flowers-2019, batch 64, 224x224", "step-publication", "3.3x"],
  ["the same, bf16", "step-publication-bf16", "2.6x"],
].map(([what, name, goal]) => [what, read(name), goal]);
const measured = steps.filter(([, record]) => record);
if (measured.length > 0)
  blocks.steps = [
    where(measured[0][1]),
    "",
    table(
      [
        "step, fp32 where nothing is said",
        "ms: median (least - greatest)",
        "PyTorch, fastest setting",
        "",
        "to reach",
        "as installed",
        "older",
        "limit, ms",
        "times the limit",
        "to reach",
        "resident, MiB",
      ],
      measured.map(([what, r, goal]) => [
        what,
        spread(r),
        times(r, "tuned"),
        setting(r, "tuned"),
        goal,
        times(r, "as installed"),
        times(r, "older"),
        r.limitMs === null ? "" : ms(r.limitMs),
        r.limitRatio === null ? "" : r.limitRatio.toFixed(2),
        "1.2",
        r.residentMiB.toFixed(0),
      ]),
    ),
    "",
    table(
      [
        ...["the limit's parts", "convolutions, ms", "all else, ms", "of it arithmetic, ms"],
        ...["MiB moved", "triad, GB/s", "product, GFLOP/s"],
      ],
      measured
        .filter(([, r]) => r.limit)
        .map(([what, { limit }]) => [
          what,
          ms(limit.convolutionMs),
          ms(limit.otherMs),
          limit.arithmeticMs === undefined ? "" : ms(limit.arithmeticMs),
          (limit.otherBytes / 2 ** 20).toFixed(0),
          limit.triadGBs.toFixed(1),
          limit.peakGflops?.toFixed(0) ?? "",
        ]),
    ),
  ].join("\n");

const vanilla = read("step-vanilla");
if (vanilla?.peers.length > 0)
  blocks.memory = table(
    ["vanilla, batch 64, 128x128", "resident, MiB", "of PyTorch's", "to reach"],
    [
      ["lrscope", vanilla.residentMiB.toFixed(0), "", ""],
      ...vanilla.peers.map(({ name, residentMiB }) => [
        name,
        residentMiB.toFixed(0),
        `${(vanilla.residentMiB / residentMiB).toFixed(2)}x`,
        "at most 0.6x",
      ]),
    ],
  );
const tuned = read("step-vanilla-tuned");
if (tuned && vanilla)
  blocks.tuned = table(
    ["vanilla, batch 64, 128x128", "ms: median (least - greatest)"],
    [
      ["by the rule", spread(vanilla)],
      ["--tune-convolutions", spread(tuned)],
    ],
  );
const tfjs = read("step-tfjs");
if (tfjs)
  blocks.tfjs = [
    where(tfjs),
    "",
    table(
      [
        `vanilla, batch ${tfjs.batch}, ${tfjs.size}x${tfjs.size}`,
        "ms: median (least - greatest)",
        "",
      ],
      [
        ["lrscope", spread(tfjs), ""],
        ...tfjs.peers.map((p) => [p.name, spread(p), `${p.ratio.toFixed(0)}x`]),
      ],
    ),
  ].join("\n");
const jax = read("step-jax");
if (jax)
  blocks.jax = [
    where(jax.cases[0]),
    "",
    table(
      ["step, fp32", "lrscope, ms: median (least - greatest)", "JAX", ""],
      jax.cases.map((each) => [
        `${each.size === 224 ? "flowers-2019" : each.model}, batch ${each.batch}, ${each.size}x${each.size}`,
        spread(each),
        ...each.peers.flatMap((p) => [`${spread(p)} (${p.name})`, `${p.ratio.toFixed(1)}x`]),
      ]),
    ),
  ].join("\n");
const transfer = read("transfer");
if (transfer) {
  const { cached, head, cachedHead, trainFrom } = transfer;
  const gain = (side) => `${side.gain.toFixed(2)}x`;
  const cost = (side) => `${ms(side.featureMs)} ms, ${(side.bytesPerImage / 1024).toFixed(1)} KiB`;
  blocks.transfer = [
    where(transfer),
    "",
    table(
      [
        `${transfer.model}, batch ${transfer.batch}, ${transfer.size}x${transfer.size}, ${transfer.threads} threads`,
        "ms a step: median (least - greatest)",
        `beside lrscope from ${trainFrom}`,
        "to reach",
        "features of an image, once",
      ],
      [
        [`lrscope, trained from ${trainFrom}`, spread(transfer), "", "", ""],
        ...transfer.peers.map((peer) => [
          `${peer.name}, frozen part without gradients`,
          spread(peer),
          `${peer.ratio.toFixed(2)}x its time`,
          "2.2x",
          "",
        ]),
        [
          "the same from the feature cache",
          spread(cached),
          `${gain(cached)} faster`,
          "1.8x",
          cost(cached),
        ],
        ["the head alone, on images", spread(head), `${gain(head)} faster`, "", ""],
        [
          "the head from the feature cache",
          spread(cachedHead),
          `${gain(cachedHead)} faster`,
          "8x",
          cost(cachedHead),
        ],
      ],
    ),
  ].join("\n");
}
const STUDIES = {
  winograd: { sides: ["rule", "direct"], titles: ["Winograd", "direct"] },
  bf16: { sides: ["bf16", "fp32"], titles: ["bf16", "fp32"] },
};
for (const [study, about] of Object.entries(STUDIES)) {
  const accuracy = read(`${study}-accuracy`);
  if (accuracy) blocks[`${study}-accuracy`] = accuracyTable(accuracy, about, table);
}
const epoch = read("epoch");
if (epoch)
  blocks.epoch = [
    where(epoch),
    "",
    table(
      [
        "epoch, vanilla, JPEGs, augmented",
        "ms: median (least - greatest)",
        "PyTorch tuned",
        "to reach",
        "PyTorch as installed",
        "to reach",
        "times its steps alone",
        "to reach",
      ],
      [
        [
          `${epoch.images} images, ${epoch.updates} updates`,
          spread(epoch),
          times(epoch, "channels_last"),
          "3x",
          times(epoch, "as installed"),
          "12x",
          epoch.stepsRatio.toFixed(3),
          "1.05",
        ],
      ],
    ),
  ].join("\n");
const optimizer = read("optimizer");
if (optimizer)
  blocks.optimizer = [
    `${where(optimizer)}; triad ${optimizer.triadGBs.toFixed(1)} GB/s; ${optimizer.parameters} parameters`,
    "",
    table(
      [
        "update",
        "ms: median (least - greatest)",
        "GB/s",
        "of the triad",
        "to reach",
        "PyTorch foreach",
        "to reach",
      ],
      optimizer.optimizers.map((o) => [
        o.name,
        spread(o),
        o.gigabytesPerSecond.toFixed(1),
        `${(o.triadShare * 100).toFixed(0)}%`,
        "75%",
        o.peers[0] ? `${o.peers[0].ratio.toFixed(2)}x` : "absent",
        "1.5x",
      ]),
    ),
  ].join("\n");
const data = read("data");
if (data)
  blocks.data = table(
    ["data", "measured", "to reach"],
    [
      ...data.decode.map(({ files, imagesPerSecond }) => [
        `decoding files of ${files} to ${data.size}x${data.size}, ${data.threads} threads`,
        `${imagesPerSecond.toFixed(0)} images/s`,
        files === `${data.size}x${data.size}` ? "8000 images/s" : "",
      ]),
      [
        `augmenting a batch of ${data.batch} on one thread`,
        `${ms(data.augment.medianMs)} ms, ${(data.augmentShare * 100).toFixed(1)}% of the vanilla step there`,
        "4%",
      ],
      [
        `opening ${data.images} images that are in the cache`,
        `${ms(data.openMs.cached)} ms (the first time ${ms(data.openMs.first)})`,
        "",
      ],
    ],
  );
const startup = read("startup");
if (startup)
  blocks.startup = table(
    ["start-up", "measured", "to reach"],
    [
      ["`lrscope --help`, whole process", `${spread(startup.help)} ms`, "3 times node's"],
      ...(startup.node
        ? [
            [
              "`node -e 0`, in turns with it",
              `${spread(startup.node)} ms: ${(startup.help.medianMs / startup.node.medianMs).toFixed(2)} times`,
              "",
            ],
          ]
        : []),
      ["loading the vanilla program", `${ms(startup.load.vanilla.loadMs)} ms`, "1 s"],
      ["loading ResNet-34 at 224", `${ms(startup.load.resnet34.loadMs)} ms`, "3 s"],
    ],
  );
const studies = ["vanilla-32", "vanilla-128", "resnet34-64"]
  .map((name) => read(`study-${name}`))
  .filter((record) => record);
if (studies.length > 0)
  blocks.study = [
    where(studies[0]),
    "",
    table(
      [
        ...["study of 6 arms x 2 seeds", "updates of a run", "runs at a time x cores each"],
        ...[
          "seconds: median (least - greatest)",
          "gain",
          "updates a second",
          "GB/s of the triad's",
        ],
      ],
      studies.flatMap((r) =>
        r.arrangements.map((one, i) => [
          i === 0 ? `${r.model}, batch ${r.batch}, ${r.size}x${r.size}` : "",
          i === 0 ? r.updates : "",
          `${one.jobs} x ${one.threads}`,
          `${(one.medianMs / 1000).toFixed(1)} (${(one.minMs / 1000).toFixed(1)} - ${(one.maxMs / 1000).toFixed(1)})`,
          `${one.gain.toFixed(2)}x`,
          one.updatesPerSecond.toFixed(1),
          `${one.gbPerSecond.toFixed(1)} of ${r.triadGBs.toFixed(1)}`,
        ]),
      ),
    ),
  ].join("\n");
const growth = read("growth");
if (growth) {
  const line = (kind, count) =>
    growth.points
      .filter((p) => p.threads === count && (kind === "batch" ? p.size === 128 : p.batch === 64))
      .sort((a, b) => a[kind] - b[kind]);
  blocks.growth = ["batch", "size"]
    .map((kind) => {
      const [one, two] = [line(kind, 1), line(kind, 2)];
      return table(
        [
          kind === "batch" ? "batch, at 128x128" : "size, at batch 64",
          "1 thread, ms",
          "us / 1000 pixels",
          "2 threads, ms",
          "us / 1000 pixels",
          "gain of the second",
          "MiB",
        ],
        one.map((p) => {
          const other = two.find((q) => q[kind] === p[kind]);
          return [
            p[kind],
            ms(p.medianMs),
            p.usPerKilopixel.toFixed(1),
            other ? ms(other.medianMs) : "",
            other ? other.usPerKilopixel.toFixed(1) : "",
            other ? `${(p.medianMs / other.medianMs).toFixed(2)}x` : "",
            p.memoryMiB.toFixed(0),
          ];
        }),
      );
    })
    .concat(
      ["batch", "size"].map(
        (kind) => `![Cost for each thousand pixels against ${kind}](images/growth-${kind}.svg)`,
      ),
    )
    .join("\n\n");
  for (const kind of ["batch", "size"])
    writeFileSync(new URL(`docs/images/growth-${kind}.svg`, root), await growthFigure(kind, line));
}

const paint = read("paint");
if (paint) blocks.paint = paintTable(paint, { table, spread });

let text = readFileSync(page, "utf8");
for (const [name, block] of Object.entries(blocks)) {
  const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no place for ${name}`);
  text = `${text.slice(0, from + open.length)}\n${block}\n${text.slice(to)}`;
}
writeFileSync(page, text);
console.error(
  `bench: docs/performance.md: ${Object.keys(blocks).join(", ") || "nothing measured yet"}`,
);
