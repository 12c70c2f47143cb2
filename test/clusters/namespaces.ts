/**
 * @file Hosts of a test's own: namespaces of the network, each at the end of a line of its own to this one, which can
 * be cut, slow, and lossy.
 */

import { spawnSync } from "node:child_process";

export interface Host {
  /** What a command runs within it. */
  readonly within: readonly string[];
  /** Takes the line away, in silence: no connection is closed. */
  cut(): void;
  mend(): void;
  /** From now on its line is slow, and loses one packet in ten in each direction. */
  impair(): void;
}

export interface Hosts {
  /** The address of this machine that all of them reach. */
  readonly address: string;
  readonly hosts: readonly Host[];
  /** Takes all of it away. */
  remove(): void;
}

const tool = (...command: readonly string[]): void => {
  const [name = "", ...args] = command;
  const { status, stderr, error } = spawnSync(name, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")}: ${error?.message ?? stderr}`);
};
const can = (...command: readonly string[]): boolean => {
  const [name = "", ...args] = command;
  return spawnSync(name, args, { stdio: "ignore" }).status === 0;
};

/** Why there can be none here; null where there can. */
export function namespacesAbsent(): string | null {
  for (const [name, option] of [
    ["ip", "-V"],
    ["tc", "-V"],
    ["nft", "-v"],
  ] as const)
    if (!can(name, option)) return `${name} is not installed`;
  const name = `lrscope-${process.pid}`;
  if (!can("ip", "netns", "add", name)) return "ip netns is not permitted";
  const counts = can("ip", "netns", "exec", name, "nft", "add", "table", "inet", "probe");
  tool("ip", "netns", "delete", name);
  return counts ? null : "nft is not permitted";
}

export function makeHosts(count: number): Hosts {
  const net = `10.${64 + (process.pid % 128)}`;
  const names = Array.from({ length: count }, (_, index) => `lrscope-${process.pid}-${index}`);
  const ends = names.map((_, index) => `lr${process.pid}-${index}`);
  const hosts = names.map((name, index): Host => {
    const end = ends[index] ?? "";
    const within = ["ip", "netns", "exec", name];
    tool("ip", "netns", "add", name);
    tool("ip", "link", "add", end, "type", "veth", "peer", "name", "line", "netns", name);
    tool("ip", "address", "add", `${net}.${index}.1/24`, "dev", end);
    tool("ip", "link", "set", end, "up");
    for (const args of [
      ["link", "set", "lo", "up"],
      ["address", "add", `${net}.${index}.2/24`, "dev", "line"],
      ["link", "set", "line", "up"],
      ["route", "add", "default", "via", `${net}.${index}.1`],
    ])
      tool("ip", "-n", name, ...args);
    return {
      within,
      cut: () => tool("ip", "link", "set", end, "down"),
      mend: () => tool("ip", "link", "set", end, "up"),
      impair() {
        // Both ends delay what they send. Kernels without netem have a narrow line with a long queue in its place.
        for (const queue of [
          ["tc", "qdisc", "add", "dev", end, "root"],
          [...within, "tc", "qdisc", "add", "dev", "line", "root"],
        ])
          if (!can(...queue, "netem", "delay", "40ms", "20ms"))
            tool(...queue, "tbf", "rate", "2mbit", "burst", "4kb", "latency", "200ms");
        const nft = [...within, "nft", "add"];
        tool(...nft, "table", "inet", "line");
        for (const [chain, hook, device] of [
          ["coming", "input", "iifname"],
          ["going", "output", "oifname"],
        ] as const) {
          tool(...nft, "chain", "inet", "line", chain, `{ type filter hook ${hook} priority 0; }`);
          const rule = `${device} line meta l4proto tcp numgen random mod 10 == 0 drop`;
          tool(...nft, "rule", "inet", "line", chain, rule);
        }
      },
    };
  });
  return {
    ...{ address: `${net}.0.1`, hosts },
    remove() {
      for (const name of names) can("ip", "netns", "delete", name);
      for (const end of ends) can("ip", "link", "delete", end);
    },
  };
}
