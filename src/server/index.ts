/** @file The live page's server, and routes that others add to it. */

export { type Call, type Route, readJson, refuse, send, sendJson } from "./route.ts";
export { type ServeOptions, type ServingPage, serve } from "./serve.ts";
export { type RunningServer, type ServerOptions, startServer } from "./server.ts";
export { studyId } from "./studies.ts";
