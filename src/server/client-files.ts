/** @file The files of the client, which the build has put beside this program: their names, and no other. */

import { readdirSync, readFileSync } from "node:fs";
import { InternalError } from "../core/errors.ts";
import { frameAncestors } from "./frames.ts";
import { type Route, send } from "./route.ts";
import { policyOf } from "./server.ts";

const FOLDER = new URL("../../dist/web/", import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

/** Where a file is found that has no address of its own name. */
const PAGES: Readonly<Record<string, string>> = { "index.html": "/", "figure.html": "/figure" };

/**
 * A route for each file that is there now; the figure's page may be shown in frames of `embedIn`. Nothing of a study is in them: they are
 * answered without a token.
 * @param opened hears that the page itself was asked for
 * @throws InternalError where the client was not built
 * @throws ArgumentError for what is no origin
 */
export function clientRoutes(
  embedIn: readonly string[],
  opened: () => void = () => undefined,
): Route[] {
  const ancestors = frameAncestors(embedIn);
  let names: string[];
  try {
    names = readdirSync(FOLDER);
  } catch (cause) {
    throw new InternalError(`the page's files were not built (npm run build): ${cause}`);
  }
  return names.flatMap((name): Route[] => {
    const type = TYPES[name.replace(/.*\./, "")];
    if (type === undefined) return [];
    const body = readFileSync(new URL(name, FOLDER));
    return [
      {
        ...{ method: "GET", path: PAGES[name] ?? `/${name}`, open: true },
        handle({ response }) {
          if (name === "figure.html")
            response.setHeader("content-security-policy", policyOf(ancestors));
          send(response, { type, body });
          if (name === "index.html") opened();
        },
      },
    ];
  });
}
