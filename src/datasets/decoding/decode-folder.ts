/** @file The images of a folder, decoded list by list in a process of their own. */

import { join } from "node:path";
import { at } from "../../core/at.ts";
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
      const list = Array.from(items.subarray(first, first + chunkLength), (item, i) => ({
        item,
        position: first + i,
        file: at(files, item, "files"),
      }));
      const readable = list.filter(({ item }) => !unreadable.has(item));
      const decoded = decoder.decode(readable.map(({ file }) => join(root, file)));
      decoded.catch(() => undefined);
      return { list, done: first + list.length, decoded };
    };
    let next = begin(0);
    while (next.list.length > 0) {
      throwIfInterrupted(signal);
      const { list, done } = next;
      const { pixels, failures } = await next.decoded;
      // The next list is decoded while somebody writes or reads the pixels of this one.
      next = begin(done);
      const broken: BrokenItem[] = [];
      let kept = 0;
      let i = 0;
      for (const { item, position, file } of list) {
        const reason = unreadable.get(item);
        if (reason !== undefined) {
          broken.push({ position, file: legibleName(file), reason });
          continue;
        }
        const failure = at(failures, i, "failures");
        if (failure?.kind === "passing") throw passingError(name, file, failure.reason);
        if (failure) {
          const { kind, reason } = failure;
          const under = kind === "limited" ? { under: decodingConditions() } : {};
          broken.push({ position, file: legibleName(file), reason, ...under });
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
