// Opens a source in a process of its own, for tests that limit what the process may do, and prints
// the error as JSON.
import { openDataset } from "../../dist/datasets/open.js";

const [, , source, cacheDir, size = "512"] = process.argv;
try {
  const { record } = await openDataset(source, { cacheDir, size: Number(size), threads: 1 });
  const { images, broken } = record;
  console.log(JSON.stringify({ exitCode: 0, message: "opened", images, broken }));
} catch ({ exitCode, message }) {
  console.log(JSON.stringify({ exitCode, message }));
}
