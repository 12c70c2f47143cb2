/** @file Whether an event that a worker tells is of the task that it has. */

import type { StudyEvent, TaskFile } from "../../../record/index.ts";
import { Refusal } from "./refusal.ts";

/** @throws Refusal where the event is of another task, or of none */
export function checkSubject({ key, task }: TaskFile, event: StudyEvent): void {
  const isOwn = () => {
    switch (event.type) {
      case "trial-started":
      case "trial-finished":
        return (
          task.kind === "trial" &&
          event.trial.arm === task.arm &&
          event.trial.slug === task.slug &&
          event.trial.seed === task.seed
        );
      case "update":
      case "epoch":
      case "weights":
      case "checkpoint":
        return task.kind === "trial" && event.arm === task.arm && event.seed === task.seed;
      case "plan":
      case "warning":
        return event.arm === task.arm && (task.kind === "range-test" || event.seed === task.seed);
      case "range-test-started":
      case "range-test-update":
      case "range-test-search":
      case "range-test-run":
      case "range-test-finished":
        return task.kind === "range-test" && event.arm === task.arm;
      default:
        return false;
    }
  };
  if (!isOwn())
    throw new Refusal(
      "malformed",
      `an event of type ${event.type} is none of ${key}'s, or of another task`,
    );
}
