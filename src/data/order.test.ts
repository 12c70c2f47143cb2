import { expect, test } from "vitest";
import { epochOrder } from "./order.ts";

const dataset = { train: Int32Array.from({ length: 100 }, (_, i) => 3 * i + 1) };

test("every training image once, in an order of seed and epoch", () => {
  const order = epochOrder(dataset, 0, 1);
  expect([...order].sort((a, b) => a - b)).toEqual([...dataset.train]);
  expect(epochOrder(dataset, 0, 1)).toEqual(order);
  expect(epochOrder(dataset, 0, 2)).not.toEqual(order);
  expect(epochOrder(dataset, 1, 1)).not.toEqual(order);
  expect(order).not.toEqual(dataset.train);
});
