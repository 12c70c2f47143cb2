import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { root } from "./rooms.ts";

describe("on a machine without the engine", () => {
  const folder = mkdtempSync(join(tmpdir(), "lrscope-engineless-"));
  beforeAll(() => {
    vi.stubEnv("LRSCOPE_ADDON", join(folder, "absent.node"));
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  test("the public API loads, and its schedules work", async () => {
    const { triangular } = await import("lrscope");
    const schedule = triangular({ base: 0.25, max: 0.75, stepSize: 4 });
    expect([0, 2, 4, 8].map(schedule)).toEqual([0.25, 0.5, 0.75, 0.25]);
  });

  test("what needs the engine says what to install", async () => {
    const { AddonError, nativeBackend } = await import("lrscope");
    expect(() => nativeBackend({ threads: 1 })).toThrow(AddonError);
    expect(() => nativeBackend({ threads: 1 })).toThrow(
      /it is not built.*apt-get install.*libdnnl-dev/s,
    );
  });

  test("the reference backend computes", async () => {
    const { referenceBackend } = await import("lrscope");
    expect(referenceBackend().kind).toMatch(/^reference-/);
  });

  const npmRoot = spawnSync("npm", ["root", "-g"], { encoding: "utf8" }).stdout?.trim() ?? "";
  const nodeGyp = join(npmRoot, "npm", "node_modules", "node-gyp", "bin", "node-gyp.js");
  // npm brings node-gyp; where it lies elsewhere, the install script looks for it as npm says.
  test.skipIf(!existsSync(nodeGyp))(
    "the install script without a compiler ends well, and says what is missing",
    () => {
      const clone = join(folder, "package");
      const bare = join(folder, "bin");
      mkdirSync(bare);
      symlinkSync(process.execPath, join(bare, "node"));
      for (const name of ["scripts", "native", "package.json"])
        cpSync(join(root, name), join(clone, name), {
          recursive: true,
          filter: (source) =>
            source !== join(root, "native", "build") && !source.endsWith(".stamp"),
        });
      const { status, stderr } = spawnSync(
        process.execPath,
        [join(clone, "scripts", "build-addon.mjs"), "--optional"],
        {
          cwd: clone,
          encoding: "utf8",
          env: { PATH: bare, HOME: folder, npm_config_node_gyp: nodeGyp },
        },
      );
      expect(stderr).toMatch(/the native engine was not built/);
      expect(stderr).toContain("libdnnl-dev libturbojpeg0-dev");
      expect(stderr).not.toMatch(/^ +at /m);
      expect(status).toBe(0);
    },
  );
});
