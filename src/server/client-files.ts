/** @file The files of the client, which the build has put beside this program: their names, and no other. */

import { readdirSync, readFileSync } from "node:fs";
import { InternalError } from "../core/errors.ts";
import { type Route, send } from "./route.ts";

const FOLDER = new URL("../../dist/web/", import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

/**
 * A route for each file that is there now. Nothing of a study is in them: they are answered without a token.
 * @throws InternalError where the client was not built
 */
export function clientRoutes(): Route[] {
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
        ...{ method: "GET", path: name === "index.html" ? "/" : `/${name}`, open: true },
        handle: ({ response }) => send(response, { type, body }),
      },
    ];
  });
}
