/** @file SHA-256 wherever JavaScript runs, by the Web Crypto API. */

/**
 * @returns 64 hexadecimal digits
 * @throws TypeError in a page that came over plain HTTP from another machine, where browsers withhold it
 */
export async function sha256(data: ArrayBufferView | string): Promise<string> {
  const view = typeof data === "string" ? new TextEncoder().encode(data) : data;
  // A copy, as no memory is taken that threads may share.
  const bytes = new Uint8Array(view.byteLength);
  bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
