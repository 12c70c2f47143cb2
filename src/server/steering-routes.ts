/**
 * @file What a page asks to be done: a study started from what a form says, and one that is there paused, resumed,
 * prolonged or stopped, whole or one arm of it. Each is left on the study's record (steering.jsonl).
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { armParts } from "../arms/arm-text.ts";
import { isPartFile } from "../arms/own-parts.ts";
import { commandOfStudy } from "../arms/study-command.ts";
import { ArgumentError } from "../core/errors.ts";
import { shellLine } from "../core/shell.ts";
import { isSourceName } from "../datasets/sources/source-names.ts";
import { type SteeredEvent, type StudyEvent, type StudySpec, studySpec } from "../record/index.ts";
import { isRunFolder, readRun, steer } from "../store/index.ts";
import { freeFolder, timeStamp } from "../study/default-out.ts";
import { isModelFile } from "../study/load-model.ts";
import { namesOf } from "../study/places.ts";
import { commandOf } from "../study/run-study.ts";
import { studyFile } from "../study/study-file.ts";
import { isWeightsFile } from "../study/weights-file.ts";
import { type Call, type Route, readJson, refuse, send, sendJson } from "./route.ts";
import { isAtWork, type Studies, studyId } from "./studies.ts";
import { endStudy, startStudy } from "./study-processes.ts";

const steering = z.discriminatedUnion("what", [
  z.strictObject({ what: z.enum(["pause", "stop", "resume"]) }),
  z.strictObject({
    what: z.literal("prolong"),
    epochs: z.number().int().positive().max(1_000_000),
    schedule: z.enum(["stretch", "continue"]).optional(),
  }),
  z.strictObject({ what: z.enum(["stop-arm", "resume-arm"]), arm: z.string() }),
]);

export interface SteeringOptions {
  readonly studies: Studies;
  /** Folders of runs; a new study goes to the first that is no run itself. */
  readonly folders: readonly string[];
  /** Hears what the studies say that were started here. */
  tell(id: string, event: StudyEvent): void;
}

export function steeringRoutes({ studies, folders, tell }: SteeringOptions): Route[] {
  const run = (words: readonly string[]) =>
    startStudy(words, (path, event) => tell(studyId(path), event));
  return [
    {
      method: "GET",
      path: "/api/study-schema",
      handle: ({ response }) =>
        send(response, {
          type: "application/json; charset=utf-8",
          body: readFileSync(new URL("../../schemas/study.json", import.meta.url)),
        }),
    },
    {
      method: "POST",
      path: "/api/command",
      async handle(call) {
        const { study } = askedStudy(await readJson(call));
        sendJson(call, { command: commandFor(study) });
      },
    },
    {
      method: "POST",
      path: "/api/studies",
      async handle(call) {
        const { study, text } = askedStudy(await readJson(call));
        const folder = folders.find((each) => !isRunFolder(each));
        if (folder === undefined)
          throw new ArgumentError(
            "start: this server shows runs, and no folder that takes new ones",
          );
        const source = basename(resolve(study.source)).replace(/[^\w.-]+/g, "-") || "source";
        const out = freeFolder(join(folder, `${study.kind}-${source}-${timeStamp()}`));
        const place = mkdtempSync(join(tmpdir(), "lrscope-start-"));
        try {
          const file = join(place, "study.json");
          writeFileSync(file, text);
          const path = await run([study.kind, file, "--out", out]);
          steer(path, { what: "start" });
          sendJson(call, { id: studyId(path) });
        } finally {
          rmSync(place, { recursive: true, force: true });
        }
      },
    },
    {
      method: "POST",
      path: "/api/studies/:study/steer",
      async handle(call) {
        const path = studies.pathOf(call.params.study ?? "");
        if (path === null) return refuse(call, 404, "there is no such study");
        const asked = steering.safeParse(await readJson(call));
        if (!asked.success)
          throw new ArgumentError(`steer: ${asked.error.issues[0]?.message ?? "unknown form"}`);
        await steered(call, path, { asked: asked.data, run });
      },
    },
  ];
}

async function steered(
  call: Call,
  path: string,
  {
    asked,
    run,
  }: { asked: z.infer<typeof steering>; run: (words: readonly string[]) => Promise<string> },
): Promise<void> {
  const { experiment } = readRun(path);
  const resume = ["--resume", path];
  const command = commandOf(experiment.kind);
  const { what } = asked;
  switch (what) {
    case "pause":
    case "stop":
      note(path, { what });
      await endStudy(path);
      break;
    case "resume":
      if (isAtWork(path)) throw new ArgumentError("resume: the study is running");
      note(path, { what });
      await run([command, ...resume]);
      break;
    case "prolong": {
      const { epochs, schedule } = asked;
      if (experiment.kind === "find" || experiment.kind === "demo")
        throw new ArgumentError(`prolong: a study of ${experiment.kind} has no epochs to add`);
      if (isAtWork(path)) await endStudy(path);
      const how = schedule === undefined ? [] : [`--${schedule}`];
      note(path, { what, epochs });
      await run([command, ...resume, "--epochs", String(epochs), ...how]);
      break;
    }
    case "stop-arm":
    case "resume-arm":
      if (!experiment.arms.some(({ name }) => name === asked.arm))
        throw new ArgumentError(
          `${what}: the study has no arm ${JSON.stringify(asked.arm)}; it has ${experiment.arms.map(({ name }) => name).join(", ")}`,
        );
      note(path, { what, arm: asked.arm });
      break;
    default:
      what satisfies never;
  }
  sendJson(call, { asked: what });
}

const note = (path: string, asked: Pick<SteeredEvent, "what" | "arm" | "epochs">): void =>
  steer(path, asked);

interface AskedStudy {
  readonly study: z.infer<typeof studyFile>;
  /** As a file that the command line reads; paths are whole. */
  readonly text: string;
}

/**
 * What a form says, as a study's file.
 * @throws ArgumentError for what is no study, or would run a file: code is named on a command line, not on a page
 */
function askedStudy(body: unknown): AskedStudy {
  const asked = (body as { study?: unknown } | null)?.study;
  const parsed = studyFile.safeParse(asked);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new ArgumentError(
      `start: ${issue?.path.join(".") || "it"}: ${issue?.message ?? "unknown form"}`,
    );
  }
  const { model, pretrained, optimizers, files } = parsed.data;
  const isCode =
    isModelFile(model) ||
    files !== undefined ||
    optimizers.some((text) => {
      const { optimizer, schedule } = armParts(text);
      return [optimizer, schedule].some((part) => part !== null && isPartFile(part));
    });
  if (isCode || (pretrained !== undefined && isWeightsFile(pretrained)))
    throw new ArgumentError(
      "start: a network, arm or weights of a file cannot be named on a page; start that study on the command line",
    );
  // Seen from here, as a word of the command line would be.
  const source = isSourceName(parsed.data.source)
    ? parsed.data.source
    : resolve(parsed.data.source);
  return {
    study: { ...parsed.data, source },
    text: JSON.stringify({ ...(asked as object), source }),
  };
}

/** The command line that asks for the same. */
function commandFor(study: AskedStudy["study"]): string {
  const { source, model } = study;
  const spec = studySpec.parse({ ...study, ...namesOf({ source, model }) }) as StudySpec;
  const { words, why } = commandOfStudy(spec, { source });
  return words ? shellLine(words) : `lrscope ${study.kind} study.json (${why})`;
}
