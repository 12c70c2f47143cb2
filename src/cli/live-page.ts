/** @file The live page beside a study that runs in this process: there once its folder is known, and gone with it. */

import { dirname } from "node:path";
import type { StudyEvent } from "../record/index.ts";
import type { Terminal } from "./terminal.ts";

export interface LivePage {
  event(event: StudyEvent): void;
  close(): void;
}

export function livePage(terminal: Terminal): LivePage {
  let opening: Promise<{
    tell(path: string, event: StudyEvent): void;
    close(): Promise<void>;
  } | null> | null = null;
  let folder: string | null = null;
  const open = async (path: string) => {
    const { serve, studyId } = await import("../server/index.ts");
    try {
      const server = await serve({ folders: [dirname(path)] });
      terminal.command(`${server.address}#/study/${studyId(path)}`);
      return server;
    } catch (error) {
      // The study goes on without being looked at.
      terminal.note(`no live page: ${(error as Error).message}`);
      return null;
    }
  };
  return {
    event(event) {
      if (folder === null && (event.type === "recording" || event.type === "resuming")) {
        folder = event.path;
        opening = open(folder);
      }
      const path = folder;
      if (path !== null) void opening?.then((server) => server?.tell(path, event));
    },
    close() {
      void opening?.then((server) => server?.close());
    },
  };
}
