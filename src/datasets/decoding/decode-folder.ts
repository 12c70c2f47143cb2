/** @file The images of a folder, decoded list by list in a process of their own. */

import { join } from "node:path";
import {
  type BrokenItem,
  type DecodedChunk,
  type DecodeSettings,
  throwIfInterrupted,
} from "../../data/source.ts";
import { legibleName } from "../../files/file-names.ts";
import { type FolderFiles, passingError } from "../sources/folder-hash.ts";
import { decodingConditions } from "./decode-limits.ts";
import { openDecoder } from "./isolated-decoder.ts";

/** Files a list: enough to share out among threads, few enough for progress. */
const chunkLength = 64;

/**
 * @throws DataError for a file that could not be decoded for a reason that may pass
 * @throws InterruptedError once the signal has fired, without waiting for what is under way
 */
export async function* decodeFolder(
  { root, name, files, unreadable }: FolderFiles,
  items: Int32Array,
  { size, threads, signal }: DecodeSettings,
): AsyncGenerator<DecodedChunk> {
  const decoder = openDecoder({ size, channels: 3, threads, capacity: chunkLength, signal });
  try {
    const bytes = size * size * 3;
    const begin = (first: number) => {
      const positions = [...items.subarray(first, first + chunkLength).keys()].map(
        (i) => first + i,
      );
      const readable = positions.filter((position) => !unreadable.has(items[position]!));
      const decoded = decoder.decode(readable.map((at) => join(root, files[items[at]!]!)));
      decoded.catch(() => undefined);
      return { positions, decoded };
    };
    let list = begin(0);
    while (list.positions.length > 0) {
      throwIfInterrupted(signal);
      const { positions } = list;
      const { pixels, failures } = await list.decoded;
      const done = positions.at(-1)! + 1;
      // The next list is decoded while somebody writes or reads the pixels of this one.
      list = begin(done);
      const broken: BrokenItem[] = [];
      let kept = 0;
      let i = 0;
      for (const position of positions) {
        const item = items[position]!;
        const file = legibleName(files[item]!);
        const reason = unreadable.get(item);
        if (reason !== undefined) {
          broken.push({ position, file, reason });
          continue;
        }
        const failure = failures[i]!;
        if (failure?.kind === "passing") throw passingError(name, file, failure.reason);
        if (failure) {
          const { kind, reason } = failure;
          const under = kind === "limited" ? { under: decodingConditions() } : {};
          broken.push({ position, file, reason, ...under });
        } else {
          if (kept !== i) pixels.copyWithin(kept * bytes, i * bytes, (i + 1) * bytes);
          kept++;
        }
        i++;
      }
      yield { pixels: pixels.subarray(0, kept * bytes), broken, done };
    }
  } finally {
    decoder.close();
  }
}
