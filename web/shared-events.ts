/**
 * @file One stream of events for all tabs: a browser keeps six connections to a server, and each tab's own stream
 * would take one. The tab that holds a lock has the stream, and passes on what comes; where it is hidden or closed,
 * the lock is another's. A tab that is hidden asks for nothing, and catches up when it is seen again.
 *
 * What there is already each tab reads by itself, packed, with the cursor from which it goes on; the stream brings
 * what comes then. A message that goes on from elsewhere has the tab read again.
 */

import { readRecords } from "./api.ts";
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
  /** Of the leader: the stream goes on from another place than it had come to. */
  | { readonly type: "at"; readonly study: string; readonly cursor: string }
  /** To all who want the study. */
  | { readonly type: "message"; readonly text: string };

export interface SharedEvents {
  /** Follows a study from now on, from its beginning. @returns what ends that */
  follow(study: string, told: (message: StudyMessage) => void): () => void;
  /** Begins to read a study that a page will follow, while the page itself is loaded. */
  expect(study: string): void;
}

interface Wanted {
  /** "": nothing has been heard. */
  cursor: string;
  readonly told: (message: StudyMessage) => void;
  /** While its records are read: what the stream brings meanwhile. */
  waiting: StudyMessage[] | null;
}

/** Why the stream is lost: nobody answers, or it is refused; "": it is not. */
export type Lost = "" | "away" | "refused";

/** Joins the tabs of this browser. */
export function sharedEvents(onLost: (lost: Lost) => void): SharedEvents {
  const tab = crypto.randomUUID();
  const channel = sharedChannel(NAME);
  const wanted = new Map<string, Wanted>();
  let expected: { study: string; records: Promise<StudyMessage> } | null = null;
  let release: (() => void) | null = null;
  let leader: ReturnType<typeof lead> | null = null;

  const receive = (message: StudyMessage) => {
    const mine = wanted.get(message.study);
    if (!mine) return;
    if (mine.waiting) mine.waiting.push(message);
    else if (message.from === "" || message.from === mine.cursor) {
      mine.cursor = message.to;
      mine.told(message);
    } else if (message.to !== mine.cursor) void read(message.study, mine);
  };
  const read = async (study: string, mine: Wanted, ahead?: Promise<StudyMessage>) => {
    if (mine.waiting) return;
    mine.waiting = [];
    const records = await (ahead ?? readRecords(study)).catch((error: Error) => error);
    const { waiting } = mine;
    mine.waiting = null;
    if (wanted.get(study) !== mine) return;
    if (records instanceof Error) {
      // They cannot be read; the stream goes on as soon as they can.
      mine.cursor = "";
      if (!isAway(records))
        mine.told({ study, from: "", to: "", state: "", events: [], problem: records.message });
    } else {
      mine.cursor = records.to;
      mine.told(records);
      const next = waiting.findIndex(({ from }) => from === records.to);
      if (next >= 0) for (const message of waiting.slice(next)) receive(message);
    }
    ask(study, mine);
  };
  const ask = (study: string, { cursor }: Wanted) => {
    if (!document.hidden) send({ type: "want", tab, study, since: cursor });
  };
  const send = (word: Word) => {
    channel.postMessage(word);
    leader?.hear(word);
  };
  function want(): void {
    if (document.hidden) return;
    for (const [study, mine] of wanted)
      if (mine.cursor !== "") ask(study, mine);
      else void read(study, mine);
  }
  const hear = (word: Word) => {
    if (word.type === "who") want();
    if (word.type === "message") receive(JSON.parse(word.text));
    if (word.type !== "at") return;
    const mine = wanted.get(word.study);
    if (mine && !mine.waiting && mine.cursor !== word.cursor) void read(word.study, mine);
  };
  channel.onmessage = ({ data }: MessageEvent<Word>) => {
    leader?.hear(data);
    hear(data);
  };

  /** Waits for the lock, and leads until it is given up. */
  const standBy = () => {
    const gone = new AbortController();
    void channel
      .lead(gone.signal, async () => {
        leader = lead((word) => {
          channel.postMessage(word);
          hear(word);
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
    expect(study) {
      if (!document.hidden) expected = { study, records: readRecords(study) };
      // Whether it can be read is said by the stream.
      expected?.records.catch(() => undefined);
    },
    follow(study, told) {
      const mine: Wanted = { cursor: "", told, waiting: null };
      wanted.set(study, mine);
      const ahead = expected?.study === study ? expected.records : undefined;
      expected = null;
      if (!document.hidden) void read(study, mine, ahead);
      return () => {
        if (wanted.get(study)?.told !== told) return;
        wanted.delete(study);
        send({ type: "leave", tab, study });
      };
    },
  };
}

/** Nobody answered: what the browser says of that is no word of the server's. */
const isAway = (error: Error): boolean => error instanceof TypeError;

/** The one stream, of all studies that some tab wants, each from the earliest place that one of them needs. */
function lead(pass: (word: Word) => void, onLost: (lost: Lost) => void) {
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
      onLost("");
      return;
    }
    const query = studies.map((study) => `study=${study}`).join("&");
    const since = studies.map((study) => `${study}=${cursors.get(study) ?? ""}`).join("|");
    source?.close();
    asked = query;
    const opened = new EventSource(`/events?${query}&since=${encodeURIComponent(since)}`);
    source = opened;
    opened.onopen = () => onLost("");
    opened.onerror = () => {
      // A refusal ends the stream for good; a server that is away is asked again by the browser.
      const isRefused = opened.readyState === EventSource.CLOSED;
      onLost(isRefused ? "refused" : "away");
      if (isRefused && source === opened) setTimeout(() => source === opened && open(), 1000);
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
      cursors.set(word.study, word.since);
      open();
      // Tabs that are at another place read the records again.
      if (isOpen) pass({ type: "at", study: word.study, cursor: word.since });
    },
    close() {
      source?.close();
      source = null;
    },
  };
}
