import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { root } from "./rooms.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lrscope-setup-"));
  mkdirSync(join(folder, "bin"));
  mkdirSync(join(folder, "clone", "scripts"), { recursive: true });
  for (const name of ["package.json", "package-lock.json"])
    writeFileSync(join(folder, "clone", name), "{}");
  cpSync(join(root, "scripts", "setup"), join(folder, "clone", "scripts", "setup"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/**
 * scripts/setup on a machine that has these programs and no others: `real` ones are this machine's,
 * `scripted` ones are shell scripts.
 */
function setup(options: { real?: string[]; scripted?: Record<string, string> }) {
  const { real = [], scripted = {} } = options;
  for (const name of ["bash", "dirname", "cat", "cksum", "mkdir", "env", "sh", ...real]) {
    const { stdout } = spawnSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" });
    symlinkSync(stdout.trim(), join(folder, "bin", name));
  }
  for (const [name, body] of Object.entries(scripted)) {
    const path = join(folder, "bin", name);
    writeFileSync(path, `#!/bin/sh\n${body}\n`);
    chmodSync(path, 0o755);
  }
  return spawnSync("/bin/bash", [join(folder, "clone", "scripts", "setup")], {
    encoding: "utf8",
    input: "",
    env: { PATH: join(folder, "bin") },
  });
}

const node20 = {
  node: 'test "$1" = -p && echo 20.11.0 || echo "node $*" >>npm.log',
  npm: 'mkdir -p node_modules; echo "npm $*" >>npm.log',
};
/** A Debian without any of our packages; what apt-get is told goes to a file. */
const debian = {
  "dpkg-query": "exit 1",
  "apt-cache": "exit 100",
  "apt-get": 'echo "$*" >>apt.log',
};

const logOf = (name: string) =>
  spawnSync("cat", [name], { cwd: join(folder, "clone"), encoding: "utf8" }).stdout;
/** What the scripted apt-get was told. */
const aptLog = () => logOf("apt.log");

describe("scripts/setup", () => {
  test("without Node it names the version that is needed", () => {
    const { status, stderr } = setup({});
    expect(stderr).toMatch(/Node.js is missing; install version 20 or newer/);
    expect(status).toBe(1);
  });

  test("an old Node is refused, with both versions", () => {
    const { status, stderr } = setup({ scripted: { ...node20, node: "echo 18.19.0" } });
    expect(stderr).toContain("Node.js 20 or newer is needed; this is 18.19.0");
    expect(status).toBe(1);
  });

  test("on Debian, root installs what is missing, and refreshes empty lists first", () => {
    setup({ scripted: { ...node20, ...debian, id: "echo 0" } });
    expect(aptLog().trim().split("\n")).toEqual([
      "update -qq",
      "install -y -qq --no-install-recommends libdnnl-dev libturbojpeg0-dev g++ make python3",
    ]);
  });

  test("on Debian, lists that know the packages are not refreshed", () => {
    setup({ scripted: { ...node20, ...debian, "apt-cache": "exit 0", id: "echo 0" } });
    expect(aptLog()).toMatch(/^install [^\n]*\n$/);
  });

  test("on Debian, what is there is not installed", () => {
    const present = { "dpkg-query": "printf installed", "g++": "", make: "", python3: "" };
    const { stdout } = setup({ scripted: { ...node20, ...debian, ...present, id: "echo 0" } });
    expect(stdout).toContain("system packages are there");
    expect(aptLog()).toBe("");
  });

  test("without root and sudo it says what root should run", () => {
    const { status, stderr } = setup({ scripted: { ...node20, ...debian, id: "echo 1000" } });
    expect(stderr).toMatch(
      /As root, run:\nsetup: {3}apt-get update && apt-get install libdnnl-dev /,
    );
    expect(status).toBe(1);
    expect(aptLog()).toBe("");
  });

  test("without a terminal, sudo is not let ask, and its refusal is explained", () => {
    const sudo = 'test "$1" = -n && exit 1; echo asked >>apt.log';
    const { status, stderr } = setup({
      scripted: { ...node20, ...debian, id: "echo 1000", sudo },
    });
    expect(stderr).toMatch(/has no terminal. As root, run:\nsetup: {3}apt-get update && apt-get/);
    expect(status).toBe(1);
    expect(aptLog()).toBe("");
  });

  test("elsewhere it names the packages of each system", () => {
    const { status, stderr } = setup({ scripted: node20 });
    expect(stderr).toContain("brew install onednn jpeg-turbo libomp");
    expect(status).toBe(1);
  });

  const elsewhere = { ...node20, make: "", python3: "", "c++": "cat >/dev/null" };

  test("elsewhere, with compiler and libraries, it goes on; a second run installs nothing again", () => {
    expect(setup({ scripted: elsewhere })).toMatchObject({ status: 0, stderr: "" });
    const again = spawnSync("/bin/bash", [join(folder, "clone", "scripts", "setup")], {
      encoding: "utf8",
      env: { PATH: join(folder, "bin") },
    });
    expect(again.stdout).toContain("npm packages are up to date");
    const builds = ["npm run --silent build:addon", "node scripts/build-dist.mjs"];
    expect(logOf("npm.log").trim().split("\n")).toEqual([
      "npm ci --no-audit --no-fund --loglevel=error",
      ...builds,
      ...builds,
    ]);
  });

  test("an installation that fails is tried again the next time", () => {
    const npm = `${node20.npm}; exit 9`;
    expect(setup({ scripted: { ...elsewhere, npm } }).status).toBe(9);
    expect(existsSync(join(folder, "clone", "node_modules", ".lrscope-setup"))).toBe(false);
  });
});
