/**
 * @file Pages of other origins that may show a figure in a frame. The figure's page alone may be shown so: it changes
 * nothing, and a page that can be steered must not lie unseen beneath what a reader presses elsewhere.
 */

import { ArgumentError } from "../core/errors.ts";

const ORIGIN = /^https?:\/\/[a-z\d]+(?:[.-]+[a-z\d]+)*(?::\d{1,5})?$/;

/**
 * Origins as a content security policy names them.
 * @throws ArgumentError for what is no origin: a path, a pattern, another scheme
 */
export function frameAncestors(origins: readonly string[]): string {
  for (const origin of origins)
    if (!ORIGIN.test(origin))
      throw new ArgumentError(
        `serve: embedIn must be origins, such as http://localhost:8888: scheme, host and port without a path or a pattern; got ${JSON.stringify(origin)}`,
      );
  return ["'self'", ...origins].join(" ");
}
