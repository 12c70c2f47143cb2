/** @file What a page asks of studies: the list, one's records, a trial's log; and what it has said of them. */

import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ArgumentError } from "../core/errors.ts";
import { readRegularFile } from "../files/regular-file.ts";
import { renderReport } from "../report/index.ts";
import { metricsCsv, readRun } from "../store/index.ts";
import { readConfusions } from "../study/artefacts/confusions.ts";
import { readSamples } from "../study/artefacts/samples.ts";
import { annotateRun, deleteRun } from "../study/runs/index.ts";
import type { EventStreams } from "./event-stream.ts";
import { type Call, type Route, readJson, refuse, send, sendJson } from "./route.ts";
import type { Studies } from "./studies.ts";

/** Bytes of a log's end that a page shows; the whole is a file to be kept. */
const MOST_LOG = 64 * 1024;

const annotation = z.strictObject({
  note: z.string().max(4000).optional(),
  addTags: z.array(z.string().max(100)).max(20).optional(),
  removeTags: z.array(z.string().max(100)).max(20).optional(),
});

/** Routes about the studies; those of a study that is not there answer 404. */
export function studyRoutes(studies: Studies, streams: EventStreams): Route[] {
  const withStudy =
    (handle: (call: Call, path: string) => void | Promise<void>): Route["handle"] =>
    (call) => {
      const path = studies.pathOf(call.params.study ?? "");
      return path === null ? refuse(call, 404, "there is no such study") : handle(call, path);
    };
  const withLog = (handle: (call: Call, log: Buffer) => void): Route["handle"] =>
    withStudy((call, path) => {
      // Of the names that there are, never a path that was sent.
      const { trials } = readRun(path);
      const known = trials.find(
        ({ trial }) => `${trial.slug}-${trial.seed}` === call.params.trial,
      )?.trial;
      if (!known) return refuse(call, 404, "there is no such trial");
      const file = join(realpathSync(path), "trials", `${known.slug}-${known.seed}`, "log.txt");
      if (!existsSync(file)) return handle(call, Buffer.alloc(0));
      // A link would lead to whatever file somebody chose who made the folder.
      if (realpathSync(file) !== file) return refuse(call, 404, "the log is a link to elsewhere");
      handle(call, readRegularFile(file) ?? Buffer.alloc(0));
    });
  return [
    {
      method: "GET",
      path: "/api/studies",
      handle: (call) => sendJson(call, { studies: studies.list() }),
    },
    {
      method: "GET",
      path: "/events",
      handle(call) {
        const ids = call.url.searchParams.getAll("study");
        const found = ids.flatMap((id) => {
          const path = studies.pathOf(id);
          return path === null ? [] : [{ id, path }];
        });
        if (found.length === 0) return refuse(call, 404, "there is no such study");
        streams.open(call, found);
      },
    },
    {
      method: "GET",
      path: "/api/studies/:study/records",
      handle: withStudy(async ({ response, params }, path) => {
        const body = await streams.records(params.study ?? "", path);
        send(response, { type: "application/octet-stream", body });
      }),
    },
    {
      method: "GET",
      path: "/api/studies/:study/answers",
      handle: withStudy((call, path) => {
        const samples = readSamples(path);
        const confusions = readConfusions(path, readRun(path), samples.length > 0);
        sendJson(call, { samples, confusions });
      }),
    },
    {
      method: "GET",
      path: "/api/studies/:study/metrics.csv",
      handle: withStudy(({ response }, path) => {
        const body = metricsCsv(readRun(path).trials);
        response.setHeader("content-disposition", 'attachment; filename="metrics.csv"');
        send(response, { type: "text/csv; charset=utf-8", body });
      }),
    },
    {
      method: "GET",
      path: "/api/studies/:study/report.html",
      handle: withStudy(async ({ response }, path) => {
        const run = readRun(path);
        const samples = readSamples(path);
        const confusions = readConfusions(path, run, samples.length > 0);
        // To be kept as a file: what stands at this address is not the page's, and is never shown as one.
        response.setHeader("content-disposition", 'attachment; filename="report.html"');
        const { html } = await renderReport({ ...run, samples, confusions });
        send(response, { type: "text/html; charset=utf-8", body: html });
      }),
    },
    {
      method: "GET",
      path: "/api/studies/:study/trials/:trial/log",
      handle: withLog((call, bytes) =>
        sendJson(call, {
          log: bytes.subarray(-MOST_LOG).toString("utf8"),
          earlier: Math.max(0, bytes.byteLength - MOST_LOG),
        }),
      ),
    },
    {
      method: "GET",
      path: "/api/studies/:study/trials/:trial/log.txt",
      handle: withLog(({ response }, body) => {
        response.setHeader("content-disposition", 'attachment; filename="log.txt"');
        send(response, { type: "text/plain; charset=utf-8", body });
      }),
    },
    {
      method: "POST",
      path: "/api/studies/:study/notes",
      handle: withStudy(async (call, path) => {
        const asked = annotation.safeParse(await readJson(call));
        if (!asked.success)
          throw new ArgumentError(`notes: ${asked.error.issues[0]?.message ?? "unknown form"}`);
        sendJson(call, annotateRun(path, asked.data));
      }),
    },
    {
      method: "DELETE",
      path: "/api/studies/:study",
      handle: withStudy(async (call, path) => sendJson(call, { bytes: await deleteRun(path) })),
    },
  ];
}
