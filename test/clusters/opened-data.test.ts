/** @file A study as a worker opens it, whose images in the worker's cache are no longer what was fetched, or are others. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openRunDirectory } from "../../src/store/index.ts";
import { attempts } from "../../src/study/executors/wire/attempts.ts";
import { openWire, type Wire } from "../../src/study/executors/wire/client.ts";
import { describeStudy } from "../../src/study/executors/wire/describe-study.ts";
import type { StudyDescription } from "../../src/study/executors/wire/messages.ts";
import { sentFiles } from "../../src/study/executors/wire/sent-files.ts";
import { type StoreServer, startStoreServer } from "../../src/study/executors/wire/server.ts";
import { openSetup } from "../../src/study/setup.ts";
import { openForStudy, Unfit } from "../../src/study/worker/open-for-study.ts";
import { planOf } from "../../src/train/plan.ts";
import { photoFolder } from "../cli/photos.ts";
import { engineAbsent, temporaryFolder } from "../cli/temporary.ts";
import { TINY } from "../faults/tiny.ts";

const SGD = { name: "sgd", hyperparameters: {} };

const absent = engineAbsent();
describe.skipIf(absent)(`with the engine${absent ? ` (${absent})` : ""}`, () => {
  const within = temporaryFolder();
  let server: StoreServer;
  let wire: Wire;
  let description: StudyDescription;
  const { signal } = new AbortController();
  beforeAll(async () => {
    vi.stubEnv("LRSCOPE_CACHE", within("origin"));
    const source = await photoFolder(within("photos"), { each: 6 });
    const spec = { ...TINY, source };
    const { setup, dataset } = await openSetup(spec);
    const shared = { setup: spec, dataset: dataset.record, plan: planOf(setup, SGD) };
    description = JSON.parse(JSON.stringify(describeStudy(shared, { mixed: false })));
    dataset.close();
    mkdirSync(within("run"));
    const directory = openRunDirectory(within("run"));
    const nothing = () => undefined;
    server = await startStoreServer({
      ...{ host: "127.0.0.1", port: 0, token: "t", mostWeights: 1, description: "{}" },
      attempts: attempts({
        ...{ directory, onEvent: nothing, say: nothing, running: nothing, gone: nothing },
      }),
      ...{ unfit: nothing, files: sentFiles(shared, null) },
    });
    const url = `http://127.0.0.1:${server.port}`;
    wire = openWire({ url, token: "t", signal, say: nothing });
    vi.stubEnv("LRSCOPE_CACHE", within("worker"));
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server?.close();
  });
  const open = async (study = description) => {
    const { dataset } = await openForStudy(study, SGD, { files: [], wire, signal });
    const { record } = dataset;
    dataset.close();
    return record;
  };

  test("what has changed in the cache since it was fetched is fetched again", async () => {
    const { fingerprint } = description.dataset;
    expect((await open()).fingerprint).toBe(fingerprint);
    const { name = "" } = description.dataset.classes[0] ?? {};
    const [first = "", second = ""] = readdirSync(within(`photos/${name}`)).sort();
    const fetched = within(`worker/fetched/${fingerprint}/photos/${name}/${first}`);
    const original = readFileSync(within(`photos/${name}/${first}`));
    writeFileSync(fetched, readFileSync(within(`photos/${name}/${second}`)));
    expect((await open()).fingerprint).toBe(fingerprint);
    expect(readFileSync(fetched)).toEqual(original);
  });

  test("images that are others get no run, and end no study", async () => {
    const setup = { ...description.setup, source: "synthetic" };
    const opened = open({ ...description, setup });
    await expect(opened).rejects.toThrow(Unfit);
    await expect(opened).rejects.toThrow(/^its images are not those of the study: name/);
  });
});
