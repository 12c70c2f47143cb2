import { defineConfig } from "vitest/config";

// `lrscope` resolves to the sources, so that tests exercise what was written, not an old build.
const source = (path: string) => new URL(`./src/${path}`, import.meta.url).pathname;

export default defineConfig({
  resolve: {
    alias: [
      {
        find: /^lrscope\/studies\/([\w-]+)$/,
        replacement: new URL("./studies/$1/index.ts", import.meta.url).pathname,
      },
      { find: /^lrscope$/, replacement: source("index.ts") },
      {
        find: /^lrscope\/(schedules|record|analysis|report)$/,
        replacement: `${source("")}$1/index.ts`,
      },
    ],
  },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    // Test files run side by side: threads that spin while they wait would take each other's cores.
    env: { OMP_WAIT_POLICY: "passive" },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
