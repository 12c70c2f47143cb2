/**
 * @file Writes schemas/study.json, the JSON schema of a study's file, from the schema by which it is read.
 *
 *   node scripts/study-schema.mjs
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createJiti } from "jiti";

const root = fileURLToPath(new URL("../", import.meta.url));
const { studySchema } = await createJiti(import.meta.url).import(
  join(root, "src/cli/study-schema.ts"),
);
const file = join(root, "schemas", "study.json");
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(studySchema(), null, 2)}\n`);
