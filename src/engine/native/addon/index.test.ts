import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

test("says what to install where the native module is absent", async () => {
  vi.stubEnv("LRSCOPE_ADDON", new URL("./no-such-module.node", import.meta.url).pathname);
  vi.resetModules();
  const { loadAddon } = await import("./index.ts");
  expect(loadAddon).toThrow("native engine: it is not built");
  expect(loadAddon).toThrow("apt-get install g++ make python3 libdnnl-dev libturbojpeg0-dev");
  expect(loadAddon).toThrow("brew install onednn jpeg-turbo libomp");
  expect(loadAddon).toThrow("npm rebuild lrscope");
});

test("says why a file that is no module cannot be loaded", async () => {
  vi.stubEnv("LRSCOPE_ADDON", new URL("./index.ts.node", import.meta.url).pathname);
  vi.resetModules();
  const { loadAddon } = await import("./index.ts");
  expect(loadAddon).toThrow("native engine: ");
});

test("is loaded once", async () => {
  const { loadAddon } = await import("./index.ts");
  expect(loadAddon()).toBe(loadAddon());
  expect(loadAddon().engineInfo().onednn).toMatch(/^[23]\.\d+\.\d+$/);
});
