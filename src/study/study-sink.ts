/** @file Where what a study tells goes. */

import type { StudyListener } from "../record/index.ts";

/** Listeners; each may be left out. */
export interface StudySink {
  readonly event?: StudyListener | undefined;
}
