import { defineConfig } from "vitest/config";

// `lrscope` resolves to the sources, so that tests exercise what was written, not an old build.
const source = (path: string) => new URL(`./src/${path}`, import.meta.url).pathname;

/** Tests that replace modules, or change the process that they run in: each file has a process of its own. */
const ALONE = ["src/engine/native/addon/index.test.ts", "src/store/durable-write.test.ts"];
/** Tests that compute and nothing else: files share a process, and with it what they import. */
const SHARED = [
  ...["src", "test/compile", "test/conformance", "test/fixtures", "test/gradients"],
  "test/parity",
];

export default defineConfig({
  resolve: {
    alias: [
      {
        find: /^lrscope\/studies\/([\w-]+)$/,
        replacement: new URL("./studies/$1/index.ts", import.meta.url).pathname,
      },
      { find: /^lrscope$/, replacement: source("index.ts") },
      {
        find: /^lrscope\/(schedules|record|analysis|report|models|optimizers|layers|program|compile)$/,
        replacement: `${source("")}$1/index.ts`,
      },
    ],
  },
  test: {
    pool: "forks",
    // More than one core's share of tests that are one thread, and room for those that start processes.
    maxWorkers: 2,
    // Test files run side by side: threads that spin while they wait would take each other's cores.
    env: { OMP_WAIT_POLICY: "passive" },
    setupFiles: "test/equality.ts",
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          include: SHARED.map((folder) => `${folder}/**/*.test.ts`),
          exclude: ALONE,
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: [...ALONE, "test/**/*.test.ts"],
          exclude: SHARED.filter((folder) => folder !== "src").map((folder) => `${folder}/**`),
          globalSetup: "test/build.ts",
        },
      },
    ],
  },
});
