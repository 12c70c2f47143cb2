/** @file Names in records that become names of files: no path leads through them to another folder. */

import { z } from "zod";

/** One name, of a length that file systems take. */
export const fileName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^/\\]+$/, "must be a name, not a path");
