/** @file A line to a server that breaks after so many bytes, again and again. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface BreakingLine {
  readonly url: string;
  /** "list ", "bytes bytes=6-" */
  readonly asked: string[];
  close(): void;
}

/** Passes on what is asked for; of an answer that is not JSON so many bytes at a time. */
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
      // Once they have arrived: what lies in buffers when a line breaks is lost.
      setTimeout(() => response.destroy(), 200);
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
