/** @file `lrscope serve [DIR...]`: the live page of the studies in some folders. */

import { defineCommand, optional, value } from "../flags/define-command.ts";
import { list, portNumber, text } from "../flags/values.ts";

export const serveCommand = defineCommand({
  name: "serve",
  api: ["serve"],
  summary: "open the live page: watch the studies in a folder while they run",
  details:
    "Prints the address of a page that follows every study in the folders, whoever runs it. It is for this machine alone. With --host it is reached from others too, by whoever has the token that the address ends with; what goes over the wire is not encrypted.",
  args: [
    {
      name: "dir",
      help: "folders of runs, or runs; default lrscope-runs",
      variadic: true,
      optional: true,
    },
  ],
  flags: {
    port: value({
      placeholder: "port",
      help: "listen on this one; 0: one that is free",
      read: portNumber,
      fallback: 4040,
    }),
    host: optional({
      placeholder: "address",
      help: "listen on this address of the machine, as 0.0.0.0; asks for a token",
      read: text,
      shownFallback: "127.0.0.1",
    }),
    token: optional({
      placeholder: "text",
      help: "16 or more letters, digits, - or _ that a request has to give",
      read: text,
      shownFallback: "with --host one that is drawn, else none",
    }),
    embedIn: optional({
      placeholder: "list",
      help: "origins whose pages may show a figure in a frame: http://localhost:8888",
      read: list("http://localhost:8888"),
      shownFallback: "this server's own",
    }),
  },
  examples: ["lrscope serve", "lrscope serve lrscope-runs other-runs --port 8080"],
  async run({ args, flags, terminal, signal }) {
    const { randomBytes } = await import("node:crypto");
    const { serve } = await import("../../server/serve.ts");
    const { RUNS_FOLDER } = await import("../../study/runs/index.ts");
    const {
      host,
      port,
      embedIn,
      token = host === undefined ? undefined : drawn(randomBytes(24)),
    } = flags;
    const folders = args.length > 0 ? args : [RUNS_FOLDER];
    const server = await serve({ folders, host, port, token, embedIn });
    terminal.printCommand(server.address);
    terminal.note(`the studies in ${folders.join(", ")}; Ctrl-C ends the page, and no study`);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await server.close();
  },
});

const drawn = (bytes: Buffer): string => bytes.toString("base64url");
