/** @file What becomes of a stored last layer: its rows are classes, and these may not be the network's. */

import { at } from "../../core/at.ts";
import { elementCount, type Shape, sameShape } from "../../core/shapes.ts";
import type { StoredTensor } from "../../formats/index.ts";
import type { LastLayer } from "../../record/index.ts";

export interface LastLayerOptions {
  /** Weight and bias of the network's last layer: (classes, features), (classes). */
  readonly head: readonly { readonly name: string; readonly shape: Shape }[];
  storedAs(name: string): StoredTensor | undefined;
  /** Of the network, in the order of its logits; undefined: the file's. */
  readonly classes: readonly string[] | undefined;
  /** Of the file, in the order of its rows; null where it does not say. */
  readonly named: readonly string[] | null;
}

/** What is taken of it, undefined where it is missing among others that are not. */
interface Taken {
  readonly name: string;
  readonly shape: Shape;
  readonly tensor: StoredTensor | undefined;
}

/** How the last layer begins, and what is taken of the file for it: nothing where it begins anew. */
export function lastLayerOf(options: LastLayerOptions): {
  readonly how: LastLayer;
  readonly taken: readonly Taken[];
} {
  const { head, storedAs, classes, named } = options;
  const stored = head.map(({ name, shape }) => ({ name, shape, tensor: storedAs(name) }));
  const there = stored.flatMap(({ tensor, ...wanted }) => (tensor ? [{ ...wanted, tensor }] : []));
  // One without a bias, say, is another layer.
  if (head.length > 0 && there.length < head.length) return { how: "missing", taken: [] };
  const isOther = there.some(({ shape, tensor }) => isOtherWidth(tensor.shape, shape));
  // Whatever else differs is refused with the rest.
  const isRowwise = there.every(
    ({ shape, tensor }) => sameShape(tensor.shape, shape) || isOtherWidth(tensor.shape, shape),
  );
  if (!isRowwise) return { how: "as-stored", taken: stored };
  const rows = classes && named && rowsOf(classes, named);
  const isNamed = named !== null && there.every(({ tensor }) => tensor.shape[0] === named.length);
  if (isNamed && rows) {
    const inPlace = rows.length === named.length && rows.every((row, i) => row === i);
    return inPlace
      ? { how: "as-stored", taken: stored }
      : {
          how: "by-class",
          taken: there.map(({ name, shape, tensor }) => ({
            ...{ name, shape },
            tensor: rowsTaken(tensor, rows),
          })),
        };
  }
  if (isOther) return { how: "other-width", taken: [] };
  if (isNamed && classes) return { how: "other-classes", taken: [] };
  return { how: classes && head.length > 0 ? "unnamed" : "as-stored", taken: stored };
}

/** For each class its row among those named; null where one is not there. */
function rowsOf(classes: readonly string[], named: readonly string[]): number[] | null {
  // One name may be spelt in two ways of Unicode.
  const places = new Map(named.map((name, row) => [name.normalize("NFC"), row]));
  const rows = classes.flatMap((name) => places.get(name.normalize("NFC")) ?? []);
  return rows.length === classes.length ? rows : null;
}

function rowsTaken({ shape, data }: StoredTensor, rows: readonly number[]): StoredTensor {
  const width = elementCount(shape.slice(1));
  const taken = data.slice(0, 0).constructor as Float32ArrayConstructor;
  const values = new taken(rows.length * width) as StoredTensor["data"];
  for (const [to, row] of rows.entries())
    (values as Float32Array).set(
      data.subarray(row * width, (row + 1) * width) as Float32Array,
      to * width,
    );
  return { shape: [rows.length, ...shape.slice(1)], data: values };
}

const isOtherWidth = (stored: Shape, shape: Shape) =>
  stored.length === shape.length &&
  at(stored, 0, "shape") !== shape[0] &&
  sameShape(stored.slice(1), shape.slice(1));
