// Prints "passed failed skipped" of vitest's JSON results. A file that could not be loaded, and a
// run that ended badly though no test failed (an unhandled rejection), count as one failure each.
import { readFileSync } from "node:fs";

const [file, exitCode] = process.argv.slice(2);
const results = JSON.parse(readFileSync(file, "utf8"));
const unloadable = results.testResults.filter(
  (result) =>
    result.status === "failed" && !result.assertionResults.some((test) => test.status === "failed"),
);
let failed = results.numFailedTests + unloadable.length;
if (failed === 0 && (exitCode !== "0" || results.numPassedTests === 0)) failed = 1;
console.log(results.numPassedTests, failed, results.numPendingTests + (results.numTodoTests ?? 0));
