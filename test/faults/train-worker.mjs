/** @file A worker that trains, over and over, until it is terminated; `updates` counts its updates. */

import { workerData } from "node:worker_threads";
import { fit, models, nativeBackend, openImages, sgd } from "../../dist/index.js";

const { updates, cacheDir } = workerData;

for (;;) {
  const dataset = await openImages("synthetic", { size: 16, limit: 9, threads: 1, cacheDir });
  const network = models.vanilla({ classes: 4, channels: 3, size: 16, widths: [4], hidden: 8 });
  await fit({
    ...{ dataset, network, backend: nativeBackend({ threads: 1 }), optimizer: sgd() },
    ...{ epochs: 2, batch: 8, threads: 1 },
    onEvent(event) {
      if (event.type !== "update") return;
      Atomics.add(updates, 0, 1);
      Atomics.notify(updates, 0);
    },
  });
  dataset.close();
}
