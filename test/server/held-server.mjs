// A server of the folder that it is given, in a process of its own that says what it holds: started with --expose-gc.

import { serve } from "../../dist/server/index.js";

const server = await serve({ folders: [process.argv[2]] });
process.on("message", () => {
  for (let i = 0; i < 3; i++) globalThis.gc();
  process.send({ bytes: process.memoryUsage().heapUsed + process.memoryUsage().external });
});
process.send({ port: server.port });
