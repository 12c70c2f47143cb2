/**
 * @file One stream of events for all tabs: a browser keeps six connections to a server, and each tab's own stream
 * would take one. The tab that holds a lock has the stream, and passes on what comes; where it is hidden or closed,
 * the lock is another's. A tab that is hidden asks for nothing, and catches up when it is seen again.
 */

import type { StudyMessage } from "./followed-study.ts";
import { sharedChannel } from "./shared-channel.ts";

const NAME = "lrscope-events";

/** What tabs tell each other. */
type Word =
  /** A tab wants a study from a cursor on; "" is the beginning. */
  | { readonly type: "want"; readonly tab: string; readonly study: string; readonly since: string }
  /** It does not any more; without a study, none of those it wanted. */
  | { readonly type: "leave"; readonly tab: string; readonly study?: string }
  /** Of the leader: who wants something is to say so. */
  | { readonly type: "who" }
  /** To all who want the study. */
  | { readonly type: "message"; readonly text: string };

export interface SharedEvents {
  /** Follows a study from now on, from its beginning. @returns what ends that */
  follow(study: string, told: (message: StudyMessage) => void): () => void;
}

/** Joins the tabs of this browser. */
export function sharedEvents(onLost: (lost: boolean) => void): SharedEvents {
  const tab = crypto.randomUUID();
  const channel = sharedChannel(NAME);
  const wanted = new Map<string, { cursor: string; told: (message: StudyMessage) => void }>();
  let release: (() => void) | null = null;
  let leader: ReturnType<typeof lead> | null = null;

  const receive = (text: string) => {
    const message = JSON.parse(text) as StudyMessage;
    const mine = wanted.get(message.study);
    if (!mine) return;
    // What leads from another place than this tab's is of no use to it: it begins anew.
    if (message.from !== "" && message.from !== mine.cursor)
      return send({ type: "want", tab, study: message.study, since: "" });
    mine.cursor = message.to;
    mine.told(message);
  };
  const send = (word: Word) => {
    channel.postMessage(word);
    leader?.hear(word);
  };
  function want(): void {
    if (document.hidden) return;
    for (const [study, { cursor }] of wanted) send({ type: "want", tab, study, since: cursor });
  }
  channel.onmessage = ({ data }: MessageEvent<Word>) => {
    leader?.hear(data);
    if (data.type === "who") want();
    if (data.type === "message") receive(data.text);
  };

  /** Waits for the lock, and leads until it is given up. */
  const standBy = () => {
    const gone = new AbortController();
    void channel
      .lead(gone.signal, async () => {
        leader = lead((word) => {
          channel.postMessage(word);
          if (word.type === "message") receive(word.text);
        }, onLost);
        channel.postMessage({ type: "who" } satisfies Word);
        want();
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        leader.close();
        leader = null;
      })
      .catch(() => undefined);
    const stop = () => {
      gone.abort();
      release?.();
      release = null;
    };
    return stop;
  };
  let stop: (() => void) | null = null;
  const seen = () => {
    if (document.hidden) {
      send({ type: "leave", tab });
      stop?.();
      stop = null;
    } else if (!stop) {
      stop = standBy();
      want();
    }
  };
  document.addEventListener("visibilitychange", seen);
  addEventListener("pagehide", () => {
    send({ type: "leave", tab });
    stop?.();
    stop = null;
  });
  addEventListener("pageshow", seen);
  seen();

  return {
    follow(study, told) {
      wanted.set(study, { cursor: "", told });
      want();
      return () => {
        if (wanted.get(study)?.told !== told) return;
        wanted.delete(study);
        send({ type: "leave", tab, study });
      };
    },
  };
}

/** The one stream, of all studies that some tab wants, each from the earliest place that one of them needs. */
function lead(pass: (word: Word) => void, onLost: (lost: boolean) => void) {
  /** By tab and study. */
  const wants = new Map<string, { study: string }>();
  let source: EventSource | null = null;
  let asked = "";
  const cursors = new Map<string, string>();
  const open = () => {
    const studies = [...new Set([...wants.values()].map(({ study }) => study))].sort();
    if (studies.length === 0) {
      source?.close();
      [source, asked] = [null, ""];
      return;
    }
    const query = studies.map((study) => `study=${study}`).join("&");
    const since = studies.map((study) => `${study}=${cursors.get(study) ?? ""}`).join("|");
    source?.close();
    asked = query;
    const opened = new EventSource(`/events?${query}&since=${encodeURIComponent(since)}`);
    source = opened;
    opened.onopen = () => onLost(false);
    opened.onerror = () => {
      onLost(true);
      // A refusal ends the stream for good; a server that is away is asked again by the browser.
      if (opened.readyState === EventSource.CLOSED && source === opened)
        setTimeout(() => source === opened && open(), 1000);
    };
    opened.onmessage = ({ data }: MessageEvent<string>) => {
      const { study, to } = JSON.parse(data) as StudyMessage;
      cursors.set(study, to);
      pass({ type: "message", text: data });
    };
  };
  return {
    hear(word: Word) {
      if (word.type === "leave") {
        for (const [key, { study }] of wants)
          if (key.startsWith(`${word.tab} `) && (word.study ?? study) === study) wants.delete(key);
        const left = new Set([...wants.values()].map(({ study }) => study));
        if (source && asked !== "" && !asked.split("&").every((part) => left.has(part.slice(6))))
          open();
      }
      if (word.type !== "want") return;
      const key = `${word.tab} ${word.study}`;
      const isOpen = source !== null && asked.split("&").includes(`study=${word.study}`);
      wants.set(key, { study: word.study });
      if (isOpen && cursors.get(word.study) === word.since) return;
      // Tabs that are at different places of one study begin anew together.
      cursors.set(word.study, isOpen ? "" : word.since);
      open();
    },
    close() {
      source?.close();
      source = null;
    },
  };
}
