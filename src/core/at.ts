/**
 * @file Elements that have to be there, though no type says so. Loops over pixels and other typed arrays do
 * without them, as each check is a call.
 */

import { InternalError } from "./errors.ts";

/**
 * The element at an index; from the end where it is negative.
 * @param subject what the list is, for the message: "labels"
 * @throws InternalError where there is none
 */
export function at<T>(list: ArrayLike<T>, index: number, subject: string): T {
  const value = list[index < 0 ? list.length + index : index];
  if (value === undefined)
    throw new InternalError(`${subject}: no element ${index}; there are ${list.length}`);
  return value;
}

/**
 * The value of a key, in a map or an object of its own.
 * @param subject what it is, for the message: "shapes"
 * @throws InternalError where there is none, or it is null
 */
export function get<K, V>(map: ReadonlyMap<K, V>, key: K, subject: string): V;
export function get<T extends object, K extends keyof T>(
  object: T,
  key: K,
  subject: string,
): NonNullable<T[K]>;
export function get(of: object, key: PropertyKey, subject: string): unknown {
  const isMap = of instanceof Map;
  const own = Object.hasOwn(of, key)
    ? (of as Readonly<Record<PropertyKey, unknown>>)[key]
    : undefined;
  const value: unknown = isMap ? of.get(key) : own;
  if (value === undefined || value === null)
    throw new InternalError(
      `${subject}: no value of "${String(key)}"; there are ${isMap ? of.size : Object.keys(of).length}`,
    );
  return value;
}

/**
 * A value that has to be there.
 * @throws InternalError where it is not
 */
export function present<T>(value: T, subject: string): NonNullable<T> {
  if (value === undefined || value === null) throw new InternalError(`${subject}: is not there`);
  return value;
}
