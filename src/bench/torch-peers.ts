/**
 * @file PyTorch beside a training step: the newest that is there, in the fastest of its settings and as it is
 * installed, and each older one tuned.
 */

import { InterruptedError } from "../core/errors.ts";
import {
  findTorchPythons,
  openPeer,
  type Peer,
  type PeerOptions,
  type PeerSetting,
  startTorch,
} from "./peers.ts";
import { type BenchProgress, statistics } from "./turns.ts";

/** tuned: the newest in its fastest setting; older: another version, channels_last. */
export interface TorchPeer extends Peer {
  readonly role: "tuned" | "as installed" | "older";
}

export interface TorchPeers {
  readonly peers: readonly TorchPeer[];
  readonly tried: readonly { readonly name: string; readonly medianMs: number }[];
}

type Setting = Pick<PeerOptions, "layout" | "compile">;

/** What is tried: its guide's layout and the other, and the faster of the two through torch.compile. */
const LAYOUTS: readonly Setting[] = [{ layout: "channels_last" }, { layout: "contiguous" }];
const SETTINGS = LAYOUTS.length + 1;

/** Steps of a setting on trial: the first ones compile and fill caches. */
const UNCOUNTED = 2;
const COUNTED = 3;

/** Opens the peers of a step; the caller closes them. What cannot be started is noted, and left out. */
export async function openTorchPeers(options: {
  readonly flags: PeerOptions;
  readonly notes: string[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined;
}): Promise<TorchPeers> {
  const { flags, notes, signal, onProgress } = options;
  const [newest, ...older] = await findTorchPythons();
  // Says why nothing is measured.
  if (!newest) await openPeer(() => Promise.reject(new Error("no Python has it")), notes);
  if (!newest) return { peers: [], tried: [] };
  const peers: TorchPeer[] = [];
  const tried: { name: string; medianMs: number }[] = [];
  const open = async (
    python: string,
    more: Partial<PeerOptions>,
    setting: PeerSetting,
  ): Promise<Peer | null> => {
    if (signal?.aborted) throw new InterruptedError("interrupted; nothing was recorded");
    return await openPeer(() => startTorch(python, { ...flags, ...more }, setting), notes);
  };
  try {
    let best: { peer: Peer; medianMs: number; setting: Setting } | null = null;
    for (let done = 0; done < SETTINGS; done++) {
      const setting: Setting = LAYOUTS[done] ?? { ...best?.setting, compile: 1 };
      onProgress?.({ done, total: SETTINGS, what: `trying pytorch ${newest.version}` });
      const peer = await open(newest.python, setting, "tuned");
      const times = peer && (await trial(peer, notes));
      if (!peer || !times) continue;
      const { medianMs } = statistics(times);
      tried.push({ name: peer.name, medianMs });
      if (best !== null && best.medianMs <= medianMs) {
        peer.close();
        continue;
      }
      best?.peer.close();
      best = { peer, medianMs, setting };
    }
    if (best) peers.push({ ...best.peer, role: "tuned" });
    const plain = await open(newest.python, {}, "as installed");
    if (plain) peers.push({ ...plain, role: "as installed" });
    for (const { python } of older) {
      const peer = await open(python, {}, "tuned");
      if (peer) peers.push({ ...peer, role: "older" });
    }
    return { peers, tried };
  } catch (error) {
    for (const peer of peers) peer.close();
    throw error;
  }
}

/** Times of some steps; null, with a note, where the peer ends: not every machine can compile. */
async function trial(peer: Peer, notes: string[]): Promise<number[] | null> {
  try {
    return (await peer.run(UNCOUNTED + COUNTED)).slice(UNCOUNTED);
  } catch (error) {
    peer.close();
    notes.push(`${peer.name} was not measured: ${(error as Error).message}`);
    return null;
  }
}
