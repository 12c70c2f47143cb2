/**
 * @file kill -9 between any two operations on files, from the first folder to the last rename: of the
 * comparison, of its trials' processes, and of the one that goes on. What is in the folder in the end is
 * what an uninterrupted comparison leaves, byte for byte.
 *
 * The gate takes some of the operations, evenly spaced; `npm run test:long` takes each.
 */

import { cpSync, rmSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { contentOf, differencesOf, type Life, live, type Stop, WHOLE_CALL } from "./stopped-run.ts";

const LONG = process.env.LRSCOPE_TEST_LONG === "1";
const LANES = 2;
/** Milliseconds: hundreds of processes have to start, perhaps on a busy machine. */
const PATIENCE = LONG ? 7_200_000 : 600_000;

/** 1 .. count, or `sample` of them at equal distances, the last included. */
const operationsOf = (count: number, sample: number): number[] =>
  Array.from({ length: LONG ? count : Math.min(sample, count) }, (_, i) =>
    LONG ? i + 1 : Math.ceil(((i + 1) * count) / sample),
  );

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  let whole: Life;
  let wanted: Map<string, string>;
  beforeAll(async () => {
    whole = await live(within("whole"));
    expect(whole.code, whole.stderr).toBe(0);
    wanted = contentOf(within("whole"));
  });

  /** Some at a time. @returns what did not end as it should, by the operation that was not made */
  async function each(
    stops: readonly Stop[],
    run: (stop: Stop, path: string) => Promise<string[]>,
  ): Promise<string[]> {
    const queue = [...stops];
    const wrong: string[] = [];
    const lane = async (number: number) => {
      for (let stop = queue.shift(); stop; stop = queue.shift()) {
        const path = within(`lane-${number}`);
        rmSync(path, { recursive: true, force: true });
        for (const line of await run(stop, path))
          wrong.push(`${stop.role}:${stop.operation}: ${line}`);
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
    return wrong;
  }

  /** Goes on, and says in what the folder differs from the whole one. */
  async function goOn(path: string, killed: string | null, call = WHOLE_CALL): Promise<string[]> {
    const { code, stderr } = await live(path, { call });
    const said = code === 0 ? [] : [`ended with ${code}: ${stderr.trim().split("\n").at(-1)}`];
    const found = [...said, ...differencesOf(contentOf(path), wanted)];
    return found.map((line) => `${killed}: ${line}`);
  }

  /** The uninterrupted one with the same bits, but for the number of jobs in its record. */
  const JOBS = [
    { jobs: 1, parent: 10, child: 3 },
    { jobs: 2, parent: 3, child: 2 },
  ];
  describe.each(JOBS)("$jobs at a time", ({ jobs, parent, child }) => {
    const call =
      jobs === 1
        ? WHOLE_CALL
        : [
            ...WHOLE_CALL.map((word, i) => (WHOLE_CALL[i - 1] === "--threads" ? "2" : word)),
            ...["--jobs", "2"],
          ];
    let operations: ReadonlyMap<string, number>;
    beforeAll(async () => {
      if (jobs === 1) {
        operations = whole.operations;
        return;
      }
      const life = await live(within("jobs"), { call });
      expect(life.code, life.stderr).toBe(0);
      operations = life.operations;
      wanted = contentOf(within("jobs"));
    });

    test("the comparison's own process", { timeout: PATIENCE }, async () => {
      const count = operations.get("parent")!;
      expect(count).toBeGreaterThan(100);
      const stops = operationsOf(count, parent).map((operation) => ({ role: "parent", operation }));
      const wrong = await each(stops, async (stop, path) => {
        const { code, killed } = await live(path, { stop, call });
        // What two at a time send may come in fewer pieces, so that the end was there before.
        if (code === 0 && killed === null && jobs > 1)
          return differencesOf(contentOf(path), wanted);
        if (code !== null || killed === null) return [`was not killed: ${code}`];
        return goOn(path, killed, call);
      });
      if (LONG) console.log(`${stops.length} kills of the comparison, ${jobs} at a time`);
      expect(wrong).toEqual([]);
    });

    test("those of its range test and its trials", { timeout: PATIENCE }, async () => {
      const stops = [...operations]
        .filter(([role]) => role !== "parent")
        .flatMap(([role, count]) =>
          operationsOf(count, child).map((operation) => ({ role, operation })),
        );
      expect(stops.length).toBeGreaterThan(3);
      const wrong = await each(stops, async (stop, path) => {
        const { code, killed } = await live(path, { stop, call });
        // Of two that begin together either may be the first, and it may have less to do.
        if (code === 0 && killed === null && jobs > 1) return [];
        if (killed === null) return [`was not killed: ${code}`];
        // What the store has accepted stands, though its process was killed while it let go of its folder.
        if (code === 0)
          return differencesOf(contentOf(path), wanted).map((line) => `${killed}: ${line}`);
        if (code !== 1) return [`ended with ${code}: ${killed}`];
        return goOn(path, killed, call);
      });
      if (LONG) console.log(`${stops.length} kills of a trial, ${jobs} at a time`);
      expect(wrong).toEqual([]);
    });

    test.skipIf(jobs > 1)("the one that goes on", { timeout: PATIENCE }, async () => {
      // Killed after its last trial; and with a trial that failed, of which summary and report tell.
      const [last] = [...operations.keys()].filter((role) => role !== "parent").slice(-1);
      const begun: Record<string, Stop> = {
        ended: { role: "parent", operation: Math.ceil(operations.get("parent")! * 0.22) },
        failed: { role: last!, operation: Math.ceil(operations.get(last!)! / 2) },
      };
      for (const [name, stop] of Object.entries(begun)) {
        const before = within(name);
        expect((await live(before, { stop })).killed).not.toBeNull();
        const path = within(`${name}-whole`);
        cpSync(before, path, { recursive: true });
        const { code, operations: own, stderr } = await live(path);
        expect(code, stderr).toBe(0);
        const stops = operationsOf(own.get("parent")!, 3).map((operation) => ({
          role: "parent",
          operation,
        }));
        const wrong = await each(stops, async (stop, path) => {
          cpSync(before, path, { recursive: true });
          const { killed } = await live(path, { stop });
          return goOn(path, killed);
        });
        if (LONG) console.log(`${stops.length} kills of one that goes on (${name})`);
        expect(wrong).toEqual([]);
      }
    });
  });
});
