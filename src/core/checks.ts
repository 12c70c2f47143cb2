/** @file Argument checks shared by every room: each throws an ArgumentError that says what was found. */

import { ArgumentError } from "./errors.ts";
import { shown } from "./shown.ts";

/** Beyond it an update more is no other number. */
function refuseUnsafe(subject: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value))
    throw new ArgumentError(
      `${subject}: ${name} must be at most ${Number.MAX_SAFE_INTEGER}, as greater counts are not exact; got ${shown(value)}`,
    );
}

/** @throws ArgumentError unless value is an integer >= 1, and at most 2^53 - 1. */
export function checkPositiveInteger(subject: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new ArgumentError(`${subject}: ${name} must be a positive integer; got ${shown(value)}`);
  refuseUnsafe(subject, name, value);
}

/** @throws ArgumentError unless value is an integer >= 0, and at most 2^53 - 1. */
export function checkNonNegativeInteger(subject: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0)
    throw new ArgumentError(
      `${subject}: ${name} must be an integer, 0 or more; got ${shown(value)}`,
    );
  refuseUnsafe(subject, name, value);
}

/** @throws ArgumentError unless value is finite and > 0. */
export function checkPositive(subject: string, name: string, value: number): void {
  if (!Number.isFinite(value) || value <= 0)
    throw new ArgumentError(`${subject}: ${name} must be a positive number; got ${shown(value)}`);
}

/** @throws ArgumentError unless value is finite and >= 0. */
export function checkNonNegative(subject: string, name: string, value: number): void {
  if (!Number.isFinite(value) || value < 0)
    throw new ArgumentError(`${subject}: ${name} must be a number, 0 or more; got ${shown(value)}`);
}

/** @throws ArgumentError unless low <= value < high. */
export function checkHalfOpen(
  subject: string,
  name: string,
  value: number,
  low: number,
  high: number,
): void {
  if (!(value >= low && value < high))
    throw new ArgumentError(
      `${subject}: ${name} must be in [${low}, ${high}); got ${shown(value)}`,
    );
}
