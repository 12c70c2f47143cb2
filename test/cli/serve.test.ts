/** @file `lrscope serve`: it says where it is, answers there, and ends with Ctrl-C. */

import { expect, test } from "vitest";
import { cli } from "./run-cli.ts";
import { engineAbsent, temporaryFolder } from "./temporary.ts";

const within = temporaryFolder();

/** Serves until what it is asked for was answered. */
async function served(argv: readonly string[], ask: (address: URL) => Promise<void>) {
  const ctrlC = new AbortController();
  let asked: Promise<void> | null = null;
  const result = await cli(["serve", within("runs"), "--port", "0", ...argv], {
    signal: ctrlC.signal,
    onOutput(text) {
      const address = /^http:\S+/.exec(text)?.[0];
      if (address) asked ??= ask(new URL(address)).finally(() => ctrlC.abort());
    },
  });
  await asked;
  return result;
}

test("prints its address, and answers there until Ctrl-C; a folder may come later", async () => {
  const { code, stdout, stderr } = await served([], async ({ href, hash }) => {
    expect(hash).toBe("");
    expect(await (await fetch(href)).text()).toContain('<script type="module" src="/client.js">');
    expect(await (await fetch(`${href}api/studies`)).json()).toEqual({ studies: [] });
  });
  expect([code, stdout.trim()]).toEqual([
    0,
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/),
  ]);
  expect(stderr).toContain("Ctrl-C ends the page, and no study");
});

test("for other machines it draws a token", async () => {
  const tokens: string[] = [];
  for (let i = 0; i < 2; i++)
    await served(["--host", "0.0.0.0"], async ({ port, hash }) => {
      const token = hash.replace("#token=", "");
      tokens.push(token);
      const path = `http://127.0.0.1:${port}/api/studies`;
      expect((await fetch(path)).status).toBe(401);
      expect((await fetch(path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(
        200,
      );
    });
  expect(tokens.every((token) => /^[\w-]{32}$/.test(token))).toBe(true);
  expect(tokens[0]).not.toBe(tokens[1]);
});

test.each([
  [
    "a token that is too easy",
    ["--host", "0.0.0.0", "--token", "1234"],
    /a token must be 16 or more/,
  ],
  [
    "a port that is none",
    ["--port", "65536"],
    /serve: --port must be a whole number from 0 to 65535; got "65536"/,
  ],
  [
    "a frame's origin that is none",
    ["--embed-in", "http://lab.example/page"],
    /embedIn must be origins.*got "http:\/\/lab\.example\/page"/,
  ],
  [
    "an address of another machine",
    ["--host", "192.0.2.1"],
    /192\.0\.2\.1:0 cannot be listened on \(EADDRNOTAVAIL\)/,
  ],
])("refuses %s", async (_, argv, why) => {
  const port = argv.includes("--port") ? [] : ["--port", "0"];
  const { code, stderr } = await cli(["serve", within("runs"), ...port, ...argv]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(why)]);
});

test.skipIf(engineAbsent()).each([
  ["train", ["--epochs", "2"]],
  ["compare", ["--epochs", "2", "--optimizers", "sgd@0.1,adam", "--seeds", "1"]],
  ["find", ["--epochs", "20", "--from", "1e-3", "--to", "1"]],
])("--live opens the page beside %s, and closes it with the study", async (command, own) => {
  const out = within(`live-${command}`);
  let address = "";
  let asked: Promise<unknown> | null = null;
  const small = ["--size", "16", "--limit", "12", "--batch", "12", "--threads", "1"];
  const { code, stderr } = await cli(
    [command, "synthetic", ...small, ...own, "--out", out, "--live"],
    {
      onOutput(text) {
        const found = /http:\/\/127\.0\.0\.1:\d+\/#\/study\/([0-9a-f]{16})/.exec(text);
        if (!found || asked) return;
        [address] = found;
        asked = fetch(`${new URL(address).origin}/api/studies`).then((answer) => answer.json());
      },
    },
  );
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  expect(await asked).toMatchObject({
    studies: expect.arrayContaining([
      expect.objectContaining({ name: `live-${command}`, id: address.slice(-16) }),
    ]),
  });
  await expect(fetch(new URL(address).origin)).rejects.toThrow();
});
