/** @file What is said of weights from elsewhere: where they lay in their file, and how the last layer begins. */

import { LAST_LAYER_WORDS, type StudyEvent } from "../../record/index.ts";
import { plural } from "./format.ts";

type Pretrained = Extract<StudyEvent, { type: "pretrained" }>;

/** "images are normalised as these weights know them: mean 0.485 0.456 0.406, deviation 0.229 0.224 0.225" */
function normalizationLine({ mean, std }: NonNullable<Pretrained["normalization"]>): string {
  const channels = (values: readonly number[]) =>
    values.map((value) => Number(value.toPrecision(3))).join(" ");
  return `images are normalised as these weights know them: mean ${channels(mean)}, deviation ${channels(std)}`;
}

/** "weights of x.pth: 60 tensors; the last layer has another width there, and begins anew (fc.weight, fc.bias)" */
export function pretrainedLines(note: Pretrained): string[] {
  const { source, tensors, replaced, state, prefix, part, otherParts = [], leftOut = [] } = note;
  // Events of version 0.1 had one reason.
  const { lastLayer = replaced.length > 0 ? "other-width" : "as-stored" } = note;
  const why = LAST_LAYER_WORDS[lastLayer];
  const places = [
    ...(part ? [`"${part}"`] : []),
    ...(prefix === undefined ? [] : [`behind "${prefix}"`]),
    ...(state === undefined ? [] : [`those that it was evaluated with, "${state}"`]),
  ];
  const taken = `weights of ${source}: ${plural(tensors, "tensor")}${places.length > 0 ? ` (${places.join(", ")})` : ""}`;
  const names = replaced.length > 0 ? ` (${replaced.join(", ")})` : "";
  return [
    why === null ? taken : `${taken}; ${why}${names}`,
    ...(note.normalization ? [normalizationLine(note.normalization)] : []),
    ...(otherParts.length > 0
      ? [
          `not taken: ${otherParts.map((other) => (other === "" ? "tensors at the file's top" : `"${other}"`)).join(", ")} (save the one that you want alone)`,
        ]
      : []),
    ...(leftOut.length > 0 ? [`left out: ${leftOut.join(", ")}`] : []),
  ];
}
