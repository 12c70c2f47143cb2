// Opens a source in a process of its own, for tests that limit what the process may do, and prints
// the error as JSON.
import { createJiti } from "jiti";

const { openDataset } = await createJiti(import.meta.url).import("../../src/data/open.ts");
const [, , source, cacheDir] = process.argv;
try {
  await openDataset(source, { cacheDir, size: 512, threads: 1 });
  console.log(JSON.stringify({ exitCode: 0, message: "opened" }));
} catch ({ exitCode, message }) {
  console.log(JSON.stringify({ exitCode, message }));
}
