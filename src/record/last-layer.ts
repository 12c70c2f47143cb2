/** @file How the last layer begins of a network whose weights come from elsewhere. */

import { z } from "zod";

/**
 * As stored; with the rows of its classes, by their names; as stored, where the file does not name its classes; or
 * anew, as the file has none, one of another width, or one of other classes.
 */
export const lastLayer = z.enum([
  ...(["as-stored", "by-class", "unnamed"] as const),
  ...(["missing", "other-width", "other-classes"] as const),
]);
export type LastLayer = z.infer<typeof lastLayer>;

/** Why it begins as it does; null where that is as anyone would expect. */
export const LAST_LAYER_WORDS: Readonly<Record<LastLayer, string | null>> = {
  "as-stored": null,
  "by-class": "the last layer's rows are taken by the names of the classes",
  unnamed: "the last layer is kept as it is: the file does not name its classes",
  missing: "the last layer is not in the file, and begins anew",
  "other-width": "the last layer has another width there, and begins anew",
  "other-classes": "the last layer is of other classes there, and begins anew",
};

/** Whether it begins as version 0.1 had it begin, whose records do not say. */
export const isAsEver = (layer: LastLayer): boolean =>
  layer === "as-stored" || layer === "unnamed" || layer === "other-width";
