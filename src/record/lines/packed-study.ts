/**
 * @file A study's events in few bytes: what was measured stands in columns of doubles behind the rest, which is JSON.
 * As JSON alone, a hundred thousand lines would be 24 MB that are written, sent and parsed before anything is drawn.
 */

import { at } from "../../core/at.ts";
import { DataError } from "../../core/errors.ts";
import type { StudyEvent } from "../study-event.ts";
import type { EpochMetrics } from "../trial.ts";

/** Those that are numbers, in the order of the schema. */
export const COLUMNS = [
  ...(["epoch", "update", "lr", "trainLoss", "trainAccuracy"] as const),
  ...(["validationLoss", "validationAccuracy", "validationBalancedAccuracy"] as const),
  ...(["averagedValidationLoss", "averagedValidationAccuracy"] as const),
  ...(["ensembleValidationAccuracy", "ensembleSnapshots", "seconds"] as const),
] satisfies readonly (keyof EpochMetrics)[];
type Column = (typeof COLUMNS)[number];

/** No number of JSON's is either: null, and a field that is not there. */
const [NULL, ABSENT] = [Number.NaN, Number.POSITIVE_INFINITY];

/** Where the lines of one trial-started event stand, and what of them is no number, by row. */
interface PackedLines {
  /** Place among the events. */
  readonly event: number;
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly rest: readonly (readonly [row: number, fields: Partial<EpochMetrics>])[];
}

interface Packed<T> {
  readonly message: T;
  readonly lines: readonly PackedLines[];
}

interface WithEvents {
  readonly events: readonly StudyEvent[];
}

/**
 * The bytes of a message with events. Of the accuracies of each class a trial's newest stay, as no page shows others;
 * all else is as it was.
 * Layout: the length of the JSON, 32 bits, little-endian; the JSON, filled with spaces to a multiple of 8 bytes with
 * those four; the columns, 64-bit floats, little-endian, one after the other, trial by trial.
 */
export function packStudy<T extends WithEvents>(message: T): Uint8Array {
  const lines: PackedLines[] = [];
  const values: Float64Array[] = [];
  const events = message.events.map((event, i): StudyEvent => {
    if (event.type !== "trial-started" || event.metrics.length === 0) return event;
    const { metrics } = event;
    const measured = COLUMNS.flatMap((name) => {
      const column = columnOf(metrics, name);
      return column ? [{ name, column }] : [];
    });
    const columns = measured.map(({ name }) => name);
    const newest = metrics.findLastIndex((line) => line.validationPerClass !== undefined);
    const rest = metrics.flatMap((line, row): [number, Partial<EpochMetrics>][] => {
      const { validationPerClass, diverged } = line;
      const fields = {
        ...(row === newest && validationPerClass ? { validationPerClass } : {}),
        ...(diverged === undefined ? {} : { diverged }),
      };
      return row === newest || diverged !== undefined ? [[row, fields]] : [];
    });
    lines.push({ event: i, rows: metrics.length, columns, rest });
    values.push(...measured.map(({ column }) => column));
    return { ...event, metrics: [] };
  });
  const packed: Packed<T> = { message: { ...message, events }, lines };
  const json = new TextEncoder().encode(JSON.stringify(packed));
  const head = Math.ceil((4 + json.byteLength) / 8) * 8;
  const size = values.reduce((sum, column) => sum + column.byteLength, head);
  const bytes = new Uint8Array(size).fill(0x20, 0, head);
  new DataView(bytes.buffer).setUint32(0, head - 4, true);
  bytes.set(json, 4);
  let offset = head;
  for (const column of values) {
    bytes.set(new Uint8Array(column.buffer), offset);
    offset += column.byteLength;
  }
  return bytes;
}

/** A field of every line; null where none has it. */
function columnOf(metrics: readonly EpochMetrics[], name: Column): Float64Array | null {
  const column = new Float64Array(metrics.length);
  let isThere = false;
  for (let row = 0; row < metrics.length; row++) {
    const value = metrics[row]?.[name];
    if (value !== undefined) isThere = true;
    column[row] = value === undefined ? ABSENT : value === null ? NULL : value;
  }
  return isThere ? column : null;
}

/** The message that was packed. @throws DataError where bytes are missing */
export function unpackStudy<T extends WithEvents>(buffer: ArrayBuffer): T {
  if (buffer.byteLength < 8) throw new DataError("a packed study has 8 bytes at least; got fewer");
  const head = 4 + new DataView(buffer).getUint32(0, true);
  if (head > buffer.byteLength) throw new DataError("a packed study ends within its JSON");
  const text = new TextDecoder().decode(new Uint8Array(buffer, 4, head - 4));
  const { message, lines } = JSON.parse(text) as Packed<T>;
  const events = [...message.events];
  let offset = head;
  for (const { event, rows, columns, rest } of lines) {
    const size = 8 * rows * columns.length;
    if (offset + size > buffer.byteLength)
      throw new DataError("a packed study ends within its columns");
    const values = new Float64Array(buffer, offset, rows * columns.length);
    offset += size;
    const started = at(events, event, "events");
    if (started.type === "trial-started")
      events[event] = { ...started, metrics: unpackLines(values, { rows, columns, rest }) };
  }
  return { ...message, events };
}

function unpackLines(
  values: Float64Array,
  { rows, columns, rest }: Omit<PackedLines, "event">,
): EpochMetrics[] {
  const lines = Array.from({ length: rows }, (_, row) => {
    const line: Partial<Record<Column, number | null>> = {};
    for (let i = 0; i < columns.length; i++) {
      const value = values[i * rows + row];
      if (value !== ABSENT && value !== undefined)
        line[columns[i] as Column] = Number.isNaN(value) ? null : value;
    }
    return line as EpochMetrics;
  });
  for (const [row, fields] of rest) Object.assign(at(lines, row, "rows"), fields);
  return lines;
}
