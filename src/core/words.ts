/** @file Numbers and lists as a sentence wants them. The same in every locale. */

/** A fraction in percent with one decimal: "63.1". */
export const percentDigits = (fraction: number): string => (fraction * 100).toFixed(1);

/** "63.1%" */
export const percent = (fraction: number): string => `${percentDigits(fraction)}%`;

/** Thousands apart: "1,234,567". */
export const grouped = (value: number): string =>
  String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** "1 seed", "3 seeds", "2 classes". */
export function counted(count: number, noun: string): string {
  const plural = noun.endsWith("s") ? `${noun}es` : `${noun}s`;
  return `${grouped(count)} ${count === 1 ? noun : plural}`;
}

/** "a", "a and b", "a, b and c". */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** Bytes in MiB, for a column of them: "12.5". */
export const mebibyteDigits = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

/** Bytes: "12.5 MiB". */
export const mebibytes = (bytes: number): string => `${mebibyteDigits(bytes)} MiB`;

/** Seconds: "4.2 s", "45 s", "1 min 15 s", "2 h 5 min". */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
