/** @file The matrix phases of an optimizer: Newton-Schulz, means of rows and columns, and back. */

import { InternalError } from "../../core/errors.ts";
import type { MatrixPhase } from "../../program/index.ts";
import { newReals, type Precision, type Reals } from "./memory.ts";

export interface MatrixCall {
  readonly source: Reals;
  /** May be the source itself. */
  readonly target: Reals;
  readonly rows: number;
  readonly columns: number;
  readonly precision: Precision;
}

/** Runs the phase for one segment, whose elements are row-major. Sums are in doubles. */
export function runMatrixPhase({ operation, attributes }: MatrixPhase, call: MatrixCall): void {
  const { source, target, rows, columns } = call;
  switch (operation) {
    case "newtonSchulz":
      newtonSchulz(call, attributes as unknown as NewtonSchulzAttributes);
      return;
    case "rowMean":
      for (let r = 0; r < rows; r++) {
        let sum = 0;
        for (let c = 0; c < columns; c++) sum += source[r * columns + c]!;
        target[r] = sum / columns;
      }
      return;
    case "columnMean":
      for (let c = 0; c < columns; c++) {
        let sum = 0;
        for (let r = 0; r < rows; r++) sum += source[r * columns + c]!;
        target[c] = sum / rows;
      }
      return;
    case "spreadRows":
      for (let i = 0; i < rows * columns; i++) target[i] = source[Math.floor(i / columns)]!;
      return;
    case "spreadColumns":
      for (let i = 0; i < rows * columns; i++) target[i] = source[i % columns]!;
      return;
    default:
      operation satisfies never;
      throw new InternalError(`optimizer: unknown matrix operation ${String(operation)}`);
  }
}

export interface NewtonSchulzAttributes {
  /** [a, b, c] */
  readonly coefficients: readonly [number, number, number];
  readonly steps: number;
  readonly epsilon: number;
}

function newtonSchulz(
  { source, target, rows, columns, precision }: MatrixCall,
  { coefficients: [a, b, c], steps, epsilon }: NewtonSchulzAttributes,
): void {
  const transposed = rows > columns;
  const [m, n] = transposed ? [columns, rows] : [rows, columns];
  const index = (i: number, j: number) => (transposed ? j * columns + i : i * columns + j);
  let squares = 0;
  for (const value of source) squares += value * value;
  const scale = 1 / (Math.sqrt(squares) + epsilon);
  let x = newReals(precision, m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) x[i * n + j] = source[index(i, j)]! * scale;

  const square = newReals(precision, m * m);
  const polynomial = newReals(precision, m * m);
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < m; i++)
      for (let j = 0; j < m; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += x[i * n + k]! * x[j * n + k]!;
        square[i * m + j] = sum;
      }
    for (let i = 0; i < m; i++)
      for (let j = 0; j < m; j++) {
        let sum = 0;
        for (let k = 0; k < m; k++) sum += square[i * m + k]! * square[k * m + j]!;
        polynomial[i * m + j] = b * square[i * m + j]! + c * sum;
      }
    const next = newReals(precision, m * n);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = a * x[i * n + j]!;
        for (let k = 0; k < m; k++) sum += polynomial[i * m + k]! * x[k * n + j]!;
        next[i * n + j] = sum;
      }
    x = next;
  }
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) target[index(i, j)] = x[i * n + j]!;
}
