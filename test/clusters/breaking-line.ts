/** @file A line to a server that breaks after so many bytes, again and again. */

import { existsSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { cacheDirectory } from "../../src/files/cache-dir.ts";

export interface BreakingLine {
  readonly url: string;
  /** "list ", "bytes bytes=6-" */
  readonly asked: string[];
  close(): void;
}

/** Bytes of what was fetched that lie in the cache of this process; not those of locks. */
function fetchedBytes(): number {
  const folder = join(cacheDirectory(undefined), "fetched");
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^(\.|lock$)/.test(entry.name))
    .map(({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false }))
    .reduce((sum, status) => sum + (status?.size ?? 0), 0);
}

/**
 * Passes on what is asked for, within the process that fetches it; of an answer that is not JSON so many bytes at a
 * time.
 */
export async function breakingLine(
  { port }: { readonly port: number },
  bytes: number,
): Promise<BreakingLine> {
  const asked: string[] = [];
  const proxy = createServer(async (request, response) => {
    const { url = "", method = "GET", headers } = request;
    const { authorization = "", range } = headers;
    const body: Buffer[] = [];
    for await (const part of request) body.push(part);
    const found = await fetch(`http://127.0.0.1:${port}${url}`, {
      method,
      headers: { authorization, ...(range === undefined ? {} : { range }) },
      ...(method === "GET" ? {} : { body: Buffer.concat(body) }),
    });
    const isJson = found.headers.get("content-type")?.startsWith("application/json") ?? false;
    asked.push(`${isJson ? url.split("/").at(-1) : "bytes"} ${range ?? ""}`);
    const answer = Buffer.from(await found.arrayBuffer());
    response.writeHead(found.status, { "content-length": answer.length });
    if (isJson || answer.length <= bytes) response.end(answer);
    else {
      response.write(answer.subarray(0, bytes));
      const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
      // Once they have arrived: what lies in buffers when a line breaks is lost.
      const watch = setInterval(() => {
        if (fetchedBytes() >= start + bytes) response.destroy();
      }, 5);
      response.on("close", () => clearInterval(watch));
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    asked,
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    close() {
      proxy.close();
      proxy.closeAllConnections();
    },
  };
}
