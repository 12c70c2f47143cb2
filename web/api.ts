/** @file Requests to the server that this page came from. */

import type { ServedStudy } from "../src/record/index.ts";
import { unpackStudy } from "../src/record/lines/packed-study.ts";
import type { StudyMessage } from "./followed-study.ts";

/** @throws Error with the server's words where it refuses */
async function request<T>(path: string, options: RequestInit = {}): Promise<T> {
  const response = await fetch(path, options);
  const body = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error((body as { error?: string })?.error ?? response.statusText);
  return body as T;
}

const sent = (method: string, body: unknown): RequestInit => ({
  method,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

export const get = <T>(path: string): Promise<T> => request<T>(path);
export const post = <T>(path: string, body: unknown = {}): Promise<T> =>
  request<T>(path, sent("POST", body));
export const remove = <T>(path: string): Promise<T> => request<T>(path, { method: "DELETE" });

export const listStudies = async (): Promise<readonly ServedStudy[]> =>
  (await get<{ studies: readonly ServedStudy[] }>("/api/studies")).studies;

/** Path of what the server has of a study. */
export const ofStudy = (id: string, what: string): string =>
  `/api/studies/${encodeURIComponent(id)}/${what}`;

/** All records of a study, as the message from which its stream goes on. @throws Error as `get` does */
export async function readRecords(id: string): Promise<StudyMessage> {
  const response = await fetch(ofStudy(id, "records"));
  if (!response.ok) throw new Error(((await response.json()) as { error: string }).error);
  return unpackStudy<StudyMessage>(await response.arrayBuffer());
}

/** Exchanges the token of the address for a cookie, and takes it out of the address. */
export async function openSession(): Promise<void> {
  const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (token === undefined) return;
  history.replaceState(null, "", location.pathname);
  await post("/api/session", { token });
}
