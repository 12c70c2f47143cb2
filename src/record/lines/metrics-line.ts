/**
 * @file A line of metrics.jsonl, recognised at a glance: a study has a hundred thousand of them, and the schema takes
 * longer over each than reading does. Whatever is not plainly a line is left to the schema, which also says why.
 */

import { type EpochMetrics, epochMetrics } from "../trial.ts";

/** Whether the schema would return the value as it is; false: it may yet. */
export function isEpochMetrics(value: unknown): value is EpochMetrics {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  let needed = 0;
  // An object of JSON's has no fields but its own.
  for (const name in value) {
    const field = (value as Record<string, unknown>)[name];
    switch (name) {
      case "epoch":
      case "update":
        if (!Number.isSafeInteger(field)) return false;
        needed += 1;
        break;
      case "lr":
      case "seconds":
        if (!Number.isFinite(field)) return false;
        needed += 1;
        break;
      case "trainLoss":
      case "trainAccuracy":
      case "validationLoss":
      case "validationAccuracy":
        if (!isNumberOrNull(field)) return false;
        needed += 1;
        break;
      case "validationBalancedAccuracy":
      case "averagedValidationLoss":
      case "averagedValidationAccuracy":
        if (!isNumberOrNull(field)) return false;
        break;
      case "validationPerClass":
        if (!Array.isArray(field) || !field.every(isNumberOrNull)) return false;
        break;
      case "ensembleValidationAccuracy":
        if (!Number.isFinite(field)) return false;
        break;
      case "ensembleSnapshots":
        if (!Number.isSafeInteger(field)) return false;
        break;
      case "diverged":
        if (typeof field !== "boolean") return false;
        break;
      default:
        return false;
    }
  }
  return needed === 8;
}

const isNumberOrNull = (field: unknown) => field === null || Number.isFinite(field);

/** The line that a parsed value is; null where it is none. */
export const metricsLine = (value: unknown): EpochMetrics | null =>
  isEpochMetrics(value) ? value : (epochMetrics.safeParse(value).data ?? null);
