/** @file The live page's server: the studies in some folders, on a page that follows them. */

import type { StudyEvent } from "../record/index.ts";
import { clientRoutes } from "./client-files.ts";
import { eventStreams } from "./event-stream.ts";
import type { Route } from "./route.ts";
import { type RunningServer, type ServerOptions, startServer } from "./server.ts";
import { steeringRoutes } from "./steering-routes.ts";
import { isAtWork, studiesIn, studyId } from "./studies.ts";
import { studyRoutes } from "./study-routes.ts";

export interface ServeOptions extends Omit<ServerOptions, "routes"> {
  /** Folders with run directories in them, or run directories; one that is not there yet may come. */
  readonly folders: readonly string[];
  /**
   * Origins, such as "http://localhost:8888", whose pages may show a figure of a study in a frame (/figure); no other
   * page may be shown so. Default: this server's own.
   */
  readonly embedIn?: readonly string[] | undefined;
  /** What is answered beside the page and its studies. */
  readonly routes?: readonly Route[];
}

export interface ServingPage extends RunningServer {
  /** Passes on what a study says that is not in its records: the update under way. */
  tell(path: string, event: StudyEvent): void;
}

/**
 * Serves the page. Who may reach it: processes of this machine, unless a host and a token are given.
 * @throws ArgumentError for a host without a token, a token that is too easy, a port that is taken, or an origin that is
 *   none
 */
export async function serve({
  folders,
  embedIn = [],
  routes = [],
  ...options
}: ServeOptions): Promise<ServingPage> {
  const studies = studiesIn(folders);
  const streams = eventStreams((path) => (isAtWork(path) ? "running" : "idle"));
  const server = await startServer({
    ...options,
    routes: [
      ...clientRoutes(embedIn, () => {
        // Whoever opens the page looks for the newest study most often; while scripts are loaded it is read.
        const latest = studies.latest();
        if (latest) streams.expect(latest.id, latest.path);
      }),
      ...studyRoutes(studies, streams),
      ...steeringRoutes({ studies, folders, tell: streams.tell }),
      ...routes,
    ],
  });
  return { ...server, tell: (path, event) => streams.tell(studyId(path), event) };
}
