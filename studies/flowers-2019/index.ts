/**
 * @file "Adaptive and Cyclical Learning Rates using PyTorch" (2019): six optimizers on the Kaggle Flowers
 * Recognition photos, by a vanilla CNN from scratch and by transfer learning with a ResNet-34. A study that
 * says it follows this protocol is run as the article's was, and its report sets ours beside it.
 */

import type { PublishedProtocol } from "lrscope/report";
import { comparePublished } from "./comparison.ts";
import {
  ARMS,
  BATCH,
  CLASSES,
  EXPERIMENTS,
  experimentOf,
  isFlowers,
  PUBLISHED_CNN,
  SIZE,
} from "./curves.ts";
import { publishedComparison } from "./record.ts";
import { publishedSection, publishedTable } from "./section.ts";

export const protocol: PublishedProtocol = {
  name: "flowers-2019",
  publication: "“Adaptive and Cyclical Learning Rates using PyTorch” (2019)",
  defaultsFor(named) {
    const model = named ?? PUBLISHED_CNN;
    const kind = experimentOf(model);
    if (!kind) return null;
    const { epochs, runs } = EXPERIMENTS[kind];
    // 865 of 4,321 photos are validated on.
    const read = { validation: 0.2, published: true };
    return { model, size: SIZE, optimizers: ARMS, epochs, seeds: runs, batch: BATCH, ...read };
  },
  refusal({ dataset, model }) {
    if (!isFlowers(dataset.classes))
      return `its classes are ${CLASSES.join(", ")}; those of ${dataset.name} are others`;
    return experimentOf(model.name)
      ? null
      : `its models are vanilla_2019, vanilla, resnet34 and, in the place of that, efficientnet_lite0; this one is ${model.name}`;
  },
  compare: comparePublished,
  section(published) {
    const { data } = publishedComparison.safeParse(published);
    return data ? publishedSection(data) : null;
  },
  table(published) {
    const { data } = publishedComparison.safeParse(published);
    return data ? publishedTable(data) : null;
  },
};
