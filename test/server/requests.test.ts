/** @file The server as its clients meet it, hostile ones among them: what is answered, and what is not. */

import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, type ServingPage, serve, studyId } from "../../src/server/index.ts";
import { fakeComparison } from "../report/fake-records.ts";
import { ask } from "./ask.ts";
import { folderOfRuns, writeRun } from "./records.ts";

const HOSTILE = '<img src=x onerror="alert(1)">';
const runs = folderOfRuns();
const json = { "content-type": "application/json" };

describe("on this machine alone", () => {
  let server: ServingPage;
  let id = "";
  beforeAll(async () => {
    const input = fakeComparison({ arms: ["adam", "sgd+clr"], seeds: 2, epochs: 4 });
    input.experiment.dataset.classes[0]!.name = HOSTILE;
    writeRun(join(runs(), "a"), input);
    writeFileSync(join(runs(), "secret.txt"), "secret");
    server = await serve({ folders: [runs()] });
    const { studies } = JSON.parse((await ask(server.port, "/api/studies")).body);
    id = studies[0].id;
    expect(studies).toHaveLength(1);
    expect(JSON.stringify(studies)).not.toContain(runs());
  });
  afterAll(() => server?.close());

  test("the page forbids foreign script, frames and sources", async () => {
    const { status, headers, body } = await ask(server.port, "/");
    expect(status).toBe(200);
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy.split("; ").filter((rule) => /unsafe/.test(rule))).toEqual([
      "style-src-attr 'unsafe-inline'",
    ]);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(body).not.toMatch(/<script(?![^>]* src=)/);
    expect(body).not.toMatch(/ on\w+=/);
    for (const path of ["/client.js", "/client.css", "/figure", "/figure.js"])
      expect((await ask(server.port, path)).status).toBe(200);
  });

  test("the figure's page alone may be shown by the origins that are named", async () => {
    const framing = await serve({ folders: [runs()], embedIn: ["http://lab.example:8888"] });
    try {
      const ancestors = async (port: number, path: string) =>
        String((await ask(port, path)).headers["content-security-policy"])
          .split("; ")
          .find((rule) => rule.startsWith("frame-ancestors"));
      expect(await ancestors(framing.port, "/figure")).toBe(
        "frame-ancestors 'self' http://lab.example:8888",
      );
      for (const path of ["/", "/client.js", "/api/studies", "/nothing"])
        expect(await ancestors(framing.port, path)).toBe("frame-ancestors 'self'");
      expect(await ancestors(server.port, "/figure")).toBe("frame-ancestors 'self'");
    } finally {
      await framing.close();
    }
    await expect(serve({ folders: [], embedIn: ["http://*.example"] })).rejects.toThrow(
      "embedIn must be origins",
    );
  });

  test.each([
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/secret.txt",
    "/client.js/../../package.json",
    "/client.js%00",
    "//client.js",
    "/.stamp",
    "http://127.0.0.1/client.js",
    "*",
    "/api/studies/..%2f..%2fsecret.txt/answers",
    "/api/studies/0123456789abcdef/answers",
  ])("no file by a path: %s", async (path) => {
    const { status, body } = await ask(server.port, path);
    expect(status).toBe(404);
    expect(body).not.toContain("secret\n");
  });

  test.each([
    ["a path", "..%2f..%2fexperiment.json"],
    ["no seed", "adam"],
    ["a link", "adam-0%2flog.txt"],
  ])("no log of a trial that is not there: %s", async (_, trial) => {
    const { status } = await ask(server.port, `/api/studies/${id}/trials/${trial}/log`);
    expect(status).toBe(404);
  });

  test("a trial's log is given, its end on a page, the whole as a file", async () => {
    const log = join(runs(), "a", "trials", "adam-1", "log.txt");
    appendFileSync(log, `${"x".repeat(70_000)}\nend\n`);
    const all = readFileSync(log, "utf8");
    expect(all).toContain("began with");
    const path = `/api/studies/${id}/trials/adam-1/log`;
    const { body, status } = await ask(server.port, path);
    expect([status, JSON.parse(body)]).toEqual([
      200,
      { log: all.slice(-64 * 1024), earlier: all.length - 64 * 1024 },
    ]);
    const whole = await ask(server.port, `${path}.txt`);
    expect([whole.status, whole.body]).toEqual([200, all]);
    expect(whole.headers["content-disposition"]).toBe('attachment; filename="log.txt"');
  });

  test.each(["the log", "the trial's folder"])(
    "no log where %s is a link to elsewhere",
    async (what) => {
      const trial = join(runs(), "a", "trials", "adam-1");
      const [linked, elsewhere] =
        what === "the log" ? [join(trial, "log.txt"), "elsewhere.txt"] : [trial, "elsewhere"];
      const target = join(runs(), elsewhere);
      const kept = join(runs(), "kept");
      renameSync(linked, kept);
      cpSync(kept, target, { recursive: true });
      symlinkSync(target, linked);
      try {
        for (const end of ["log", "log.txt"]) {
          const { status, body } = await ask(
            server.port,
            `/api/studies/${id}/trials/adam-1/${end}`,
          );
          expect([status, body]).toEqual([404, expect.not.stringContaining("began with")]);
        }
      } finally {
        rmSync(linked);
        renameSync(kept, linked);
        rmSync(target, { recursive: true });
      }
    },
  );

  test.each([
    ["another host", { host: "evil.example" }],
    ["another origin", { origin: "http://evil.example" }],
    ["another site", { "sec-fetch-site": "cross-site" }],
  ])("neither answered nor obeyed: %s", async (_, headers) => {
    expect((await ask(server.port, "/api/studies", { headers })).status).toBe(403);
    const asked = { method: "DELETE", headers };
    expect((await ask(server.port, `/api/studies/${id}`, asked)).status).toBe(403);
    const noted = { method: "POST", headers: { ...headers, ...json }, body: '{"note":"x"}' };
    expect((await ask(server.port, `/api/studies/${id}/notes`, noted)).status).toBe(403);
    expect(existsSync(join(runs(), "a", "experiment.json"))).toBe(true);
    expect(existsSync(join(runs(), "a", "notes.json"))).toBe(false);
  });

  test("GET changes nothing, and a form of another page cannot be a request", async () => {
    for (const path of [`/api/studies/${id}/notes`, `/api/studies/${id}`])
      expect((await ask(server.port, path)).status).toBe(405);
    const form = {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: '{"note":"x"}',
    };
    expect((await ask(server.port, `/api/studies/${id}/notes`, form)).status).toBe(400);
    expect(existsSync(join(runs(), "a", "notes.json"))).toBe(false);
  });

  test.each([
    ["no JSON", "{", 400],
    ["another field", '{"path":"/etc"}', 400],
    ["a note that is none", '{"note":7}', 400],
    ["a tag of two words", '{"addTags":["two words"]}', 400],
    ["two megabytes", JSON.stringify({ note: "x".repeat(2 ** 21) }), 400],
  ])("a note is refused: %s", async (_, body, status) => {
    const asked = { method: "POST", headers: json, body };
    const answer = await ask(server.port, `/api/studies/${id}/notes`, asked).catch(() => null);
    // Of a body that is too long, the connection may be gone before it was sent.
    if (answer) expect(answer.status).toBe(status);
    expect(existsSync(join(runs(), "a", "notes.json"))).toBe(false);
  });

  test("a note is taken as it is, and given back as JSON alone", async () => {
    const asked = {
      method: "POST",
      headers: json,
      body: JSON.stringify({ note: HOSTILE, addTags: ["x"] }),
    };
    expect((await ask(server.port, `/api/studies/${id}/notes`, asked)).status).toBe(200);
    const { body, headers } = await ask(server.port, "/api/studies");
    expect(JSON.parse(body).studies[0].note).toBe(HOSTILE);
    expect(headers["content-type"]).toBe("application/json; charset=utf-8");
  });

  test("bytes that are no request end their own connection alone", async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, "127.0.0.1", () =>
        socket.write("\u0000\u0001GET\r\n\r\n"),
      );
      socket.on("close", () => resolve());
      socket.on("error", () => undefined);
      socket.resume();
    });
    expect((await ask(server.port, "/api/studies")).status).toBe(200);
  });

  test("events: all there is, then what comes, then, from a cursor, the rest alone", async () => {
    const listen = (since: string, enough: (messages: Message[]) => boolean) =>
      new Promise<Message[]>((resolve, reject) => {
        const messages: Message[] = [];
        const asked = request(
          {
            host: "127.0.0.1",
            port: server.port,
            path: `/events?study=${id}`,
            headers: since === "" ? {} : { "last-event-id": since },
          },
          (response) => {
            let text = "";
            response.on("data", (chunk) => {
              text += chunk;
              const parts = text.split("\n\n");
              text = parts.pop() ?? "";
              for (const part of parts) {
                const event = part.match(/^id: (.*)\ndata: (.*)$/);
                if (event) messages.push({ id: event[1]!, ...JSON.parse(event[2]!) });
              }
              if (!enough(messages)) return;
              response.destroy();
              resolve(messages);
            });
          },
        );
        asked.on("error", reject);
        asked.end();
      });
    interface Message {
      readonly id: string;
      readonly from: string;
      readonly to: string;
      readonly experiment?: unknown;
      readonly events: readonly { readonly type: string }[];
    }
    const [first] = await listen("", (all) => all.length === 1);
    expect(first!.from).toBe("");
    expect(first!.experiment).toBeDefined();
    expect(first!.events.filter(({ type }) => type === "trial-finished")).toHaveLength(4);
    const metrics = join(runs(), "a", "trials", "adam-0", "metrics.jsonl");
    const line = { ...JSON.parse(readFileSync(metrics, "utf8").split("\n")[3]!), epoch: 5 };
    appendFileSync(metrics, `${JSON.stringify(line)}\n`);
    const [next] = await listen(first!.id, (all) => all.length === 1);
    expect(next!.from).toBe(first!.to);
    expect(next!.experiment).toBeUndefined();
    expect(next!.events.map(({ type }) => type)).toEqual(["trial-started", "trial-finished"]);
    expect((await ask(server.port, "/events?study=../a")).status).toBe(404);
  });

  test("a stream goes on from a cursor however many trials there are: no cap on what is followed", async () => {
    const trials = Array.from({ length: 5000 }, () => "500d").join(",");
    const since = encodeURIComponent(`${id}=1.00000000.0..${trials}`);
    const status = await new Promise((resolve, reject) => {
      const asked = request(
        {
          ...{ host: "127.0.0.1", port: server.port, path: `/events?study=${id}&since=${since}` },
          headers: { "last-event-id": decodeURIComponent(since) },
        },
        (response) => {
          response.destroy();
          resolve(response.statusCode);
        },
      );
      asked.on("error", reject);
      asked.end();
    });
    expect(status).toBe(200);
  });

  test("of what a study says, a page is told what the records do not have", async () => {
    const path = join(runs(), "told");
    const input = fakeComparison({ arms: ["adam"], seeds: 1, epochs: 4 });
    const { trial, metrics } = input.trials[0]!;
    writeRun(path, { ...input, trials: [{ trial: { ...trial, status: "running" }, metrics }] });
    const subject = { formatVersion: 1 as const, arm: trial.arm, seed: trial.seed };
    const types = await new Promise<string[]>((resolve, reject) => {
      const query = {
        host: "127.0.0.1",
        port: server.port,
        path: `/events?study=${studyId(path)}`,
      };
      const asked = request(query, (response) => {
        let told = false;
        response.on("data", (chunk) => {
          for (const [, data = ""] of String(chunk).matchAll(/^data: (.*)$/gm)) {
            const events = JSON.parse(data).events as { type: string }[];
            if (told) {
              response.destroy();
              resolve(events.map(({ type }) => type));
            }
            told = true;
            // An epoch that the records have, and have gone beyond: it is not to be heard after those.
            server.tell(path, { ...subject, type: "epoch", metrics: metrics[2]! });
            server.tell(path, { ...subject, type: "trial-finished", trial });
            server.tell(path, {
              ...{ ...subject, type: "update", epoch: 5, update: 270, updates: 540, lr: 0.1 },
              ...{ loss: 1, imagesPerSecond: 9 },
            });
          }
        });
      });
      asked.on("error", reject);
      asked.end();
    });
    expect(types).toEqual(["update"]);
    rmSync(path, { recursive: true });
  });

  test("a study is deleted when asked, and only where it is all of lrscope's", async () => {
    writeFileSync(join(runs(), "a", "mine.txt"), "mine");
    const refused = await ask(server.port, `/api/studies/${id}`, { method: "DELETE" });
    expect([refused.status, JSON.parse(refused.body).error]).toEqual([
      409,
      expect.stringContaining("mine.txt"),
    ]);
    writeRun(join(runs(), "b"), fakeComparison({ arms: ["adam"], seeds: 1, epochs: 1 }));
    const { studies } = JSON.parse((await ask(server.port, "/api/studies")).body);
    const b = studies.find(({ name }: { name: string }) => name === "b").id;
    expect((await ask(server.port, `/api/studies/${b}`, { method: "DELETE" })).status).toBe(200);
    expect(existsSync(join(runs(), "b"))).toBe(false);
  });

  test("what is a link among the folders is no study", async () => {
    symlinkSync(join(runs(), "a"), join(runs(), "link"));
    const { studies } = JSON.parse((await ask(server.port, "/api/studies")).body);
    expect(studies.map(({ name }: { name: string }) => name)).toEqual(["a"]);
  });
});

describe("for other machines", () => {
  const token = "0123456789abcdef";
  let server: RunningServer;
  beforeAll(async () => {
    server = await serve({ folders: [runs()], host: "0.0.0.0", token });
  });
  afterAll(() => server?.close());

  test("the page is given, and of studies nothing without the token", async () => {
    expect(server.address).toBe(`http://0.0.0.0:${server.port}/#token=${token}`);
    expect((await ask(server.port, "/")).status).toBe(200);
    for (const path of ["/api/studies", "/events?study=0123456789abcdef"])
      expect((await ask(server.port, path)).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await ask(server.port, "/api/studies", { headers })).status).toBe(200);
  });

  test("the token is exchanged for a cookie that no script and no other site has", async () => {
    const session = (given: unknown, more = {}) =>
      ask(server.port, "/api/session", {
        method: "POST",
        headers: { ...json, ...more },
        body: JSON.stringify({ token: given }),
      });
    for (const wrong of ["", "0123456789abcdeF", null, 7, [token]])
      expect((await session(wrong)).status).toBe(401);
    expect((await session(token, { origin: "http://evil.example" })).status).toBe(403);
    const { status, headers } = await session(token);
    expect(status).toBe(204);
    const [cookie] = headers["set-cookie"] as string[];
    expect(cookie).toBe(`lrscope-token=${token}; HttpOnly; SameSite=Strict; Path=/`);
    const known = { headers: { cookie: cookie!.split(";")[0]! } };
    expect((await ask(server.port, "/api/studies", known)).status).toBe(200);
  });

  test.each([
    ["without a token", {}, "a token is needed too"],
    ["with an easy one", { token: "1234" }, "16 or more characters"],
  ])("is refused %s", async (_, given, why) => {
    await expect(serve({ folders: [], host: "0.0.0.0", ...given })).rejects.toThrow(why);
  });

  test("a port that is taken is named", async () => {
    await expect(serve({ folders: [], host: "0.0.0.0", token, port: server.port })).rejects.toThrow(
      new RegExp(`0\\.0\\.0\\.0:${server.port} cannot be listened on \\(EADDRINUSE\\)`),
    );
  });
});
