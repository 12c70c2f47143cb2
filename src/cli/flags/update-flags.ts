/** @file Flags that change an update, or average what it leaves. */

import { optional, toggle, untoggle } from "./define-command.ts";
import { fractionBelowOne, oneOf, positive, scales } from "./values.ts";

/** Of every experiment. */
export const updateFlags = {
  clipValue: optional({
    placeholder: "x",
    help: "greatest magnitude of each element of the gradient",
    read: positive("0.5"),
    shownFallback: "no clipping",
  }),
  lrScale: optional({
    placeholder: "name=x",
    help: "parameters, by the beginnings of their names, at a fraction of the rate",
    read: scales("features=0.1,classifier=1"),
    shownFallback: "1",
  }),
  decayScale: optional({
    placeholder: "name=x",
    help: "the same for weight decay",
    read: scales("classifier=0"),
    shownFallback: "1",
  }),
  decayOnBias: untoggle("biases and the gammas and betas of norms do not decay"),
};

/** What is validated beside the weights. */
export const averageFlags = {
  average: optional({
    placeholder: "kind",
    help: "keep an average of the weights, and validate it too: ema (exponential) or swa (at the ends of cycles)",
    read: oneOf(["ema", "swa"]),
    shownFallback: "none",
  }),
  averageDecay: optional({
    placeholder: "d",
    help: "of --average ema",
    read: fractionBelowOne("0.99"),
    shownFallback: "0.999",
  }),
  snapshots: toggle("at the end of each cycle, validate the mean of the snapshots' probabilities"),
};
