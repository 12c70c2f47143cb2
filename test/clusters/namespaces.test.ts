/**
 * @file Three workers on hosts of their own, as far as the network is concerned: one is cut off past its lease and comes
 * back, one has a slow line that loses packets, one has a clock that is an hour ahead. Nothing is lost, and nothing twice.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { resultOf, TINY_FLAGS } from "../faults/tiny.ts";
import { commands, ended, NETWORK, PATIENCE, runsOf, type Spoken, until } from "./commands.ts";
import { type Hosts, makeHosts, namespacesAbsent } from "./namespaces.ts";
import { redisAbsent, type TestRedis, testRedis } from "./redis-server.ts";

const LEASE = 5;
const EPOCHS = 30;
/** What is loaded before all else: a clock that is an hour ahead. */
const AHEAD = `const There = Date;
globalThis.Date = class Date extends There {
  constructor(...given) {
    super(...(given.length === 0 ? [Date.now()] : given));
  }
  static now() {
    return There.now() + 3_600_000;
  }
};
`;

const absent = engineAbsent() ?? redisAbsent() ?? namespacesAbsent();
describe.skipIf(absent)(
  `workers on hosts of their own${absent ? ` (${absent})` : ""}`,
  { timeout: PATIENCE },
  () => {
    const within = temporaryFolder();
    const { run, end } = commands();
    let net: Hosts;
    let redis: TestRedis;
    beforeAll(async () => {
      net = makeHosts(3);
      redis = await testRedis(within("redis"), net.address);
      writeFileSync(within("net.ts"), NETWORK);
      writeFileSync(within("ahead.mjs"), AHEAD);
    });
    afterAll(async () => {
      end();
      await redis?.kill();
      net?.remove();
    });

    const path = () => within("run");
    const linesOf = (key: string) => {
      const file = join(path(), "trials", key, "metrics.jsonl");
      return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
    };
    const logOf = (key: string) => readFileSync(join(path(), "trials", key, "log.txt"), "utf8");

    test("cut off past its lease, slow and lossy, an hour ahead: the bytes of one machine, each epoch once", async () => {
      const flags = [
        ...[...TINY_FLAGS, "--optimizers", "adam,sgd@1e-2", "--seeds", "3"],
        ...["--epochs", `${EPOCHS}`, "--threads", "1", "--no-samples", "--model", within("net.ts")],
      ];
      await redis.start();
      const [cut, slow, ahead] = net.hosts.map((host, index) =>
        run(["worker", redis.url, "--files", within("net.ts")], {
          within: host.within,
          ...(index === 2
            ? { env: { NODE_OPTIONS: `--import=${pathToFileURL(within("ahead.mjs"))}` } }
            : {}),
        }),
      ) as [Spoken, Spoken, Spoken];
      net.hosts[1]?.impair();
      for (const worker of [cut, slow, ahead])
        await until("it looks for runs", () => worker.said().includes("looks for runs"));
      const parent = run([
        ...["compare", ...flags, "--out", path()],
        ...["--executor", redis.url, "--lease", `${LEASE}s`],
      ]);
      const first = await until("it has a run", () =>
        runsOf([cut]).find(({ key }) => linesOf(key).length > 1 && linesOf(key).length < EPOCHS),
      );
      net.hosts[0]?.cut();
      const { key } = first;
      await until("another takes it over", () => / turn 2 at it: /.test(logOf(key)));
      net.hosts[0]?.mend();
      await until(
        "who was cut off hears of it",
        () => !runsOf([cut]).some(({ pid }) => pid === first.pid),
      );
      expect([await ended(parent), parent.said()]).toEqual([0, expect.any(String)]);

      const alone = run(["compare", ...flags, "--out", within("whole")]);
      expect([await ended(alone), alone.said()]).toEqual([0, expect.any(String)]);
      expect(resultOf(path())).toEqual(resultOf(within("whole")));
      for (const arm of ["adam", "sgd-1e-2"])
        for (const seed of [0, 1, 2])
          expect(linesOf(`${arm}-${seed}`).map((line) => JSON.parse(line).epoch)).toEqual(
            Array.from({ length: EPOCHS }, (_, index) => index + 1),
          );
      // Each had its part in it.
      for (const worker of [cut, slow, ahead])
        expect(worker.said()).toMatch(/run: runs (adam|sgd)/);
    });
  },
);
