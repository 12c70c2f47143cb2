/** @file Why a request of a worker is not granted, as both sides of the wire have it. */

/**
 * "stale": another attempt is the current one, or this one is over; "cancelled": the study wants the task no more;
 * "replayed": the request was granted before, and others since; "malformed": it is none, or tells of another task.
 */
export const REFUSALS = {
  unauthorized: 401,
  unknown: 404,
  stale: 409,
  cancelled: 409,
  replayed: 409,
  malformed: 400,
  oversized: 413,
} as const;

export type RefusalKind = keyof typeof REFUSALS;

/** A request that changes nothing, and is not to be made again. */
export class Refusal extends Error {
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

export const isRefusalKind = (kind: unknown): kind is RefusalKind =>
  typeof kind === "string" && Object.hasOwn(REFUSALS, kind);

const OVER: readonly RefusalKind[] = ["stale", "cancelled", "unauthorized"];

/** Whether the task is another's by now, or nobody's: of other refusals its worker is to say that they failed it. */
export const isOver = (error: unknown): boolean =>
  error instanceof Refusal && OVER.includes(error.kind);
