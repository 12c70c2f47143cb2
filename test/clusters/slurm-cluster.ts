/** @file A Slurm cluster of two nodes on this machine, started for a test and ended after it: its files lie in one folder. */

import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

const NEEDED = ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol"];

/** Why there can be none here; null where there can. */
export function slurmAbsent(): string | null {
  const missing = NEEDED.find((name) => spawnSync("which", [name]).status !== 0);
  if (missing) return `${missing} is not installed`;
  return process.getuid?.() === 0 ? null : "Slurm's daemons start as root alone";
}

export interface SlurmCluster {
  /** Names slurm.conf to Slurm's commands. */
  readonly environment: { readonly SLURM_CONF: string };
  run(command: string, ...args: string[]): string;
  /** Ends a node's daemon, and all that runs there, as a power cut would. */
  killNode(node: string): void;
  /** Ends the controller, which nobody can ask then, as its machine is shut down; and starts it with what it knew. */
  endController(): void;
  startController(): void;
  stop(): void;
}

export interface SlurmMore {
  /** Further lines of slurm.conf. */
  readonly conf?: readonly string[];
  /** Of a script in Lua that sees each job before it is taken: its body, with the job as `job`. */
  readonly onSubmit?: string;
}

/** Ports that nobody listens at. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/** Starts it. Arrays have four tasks at most, and jobs vanish soon after their end. */
export async function startSlurm({
  conf: more = [],
  onSubmit,
}: SlurmMore = {}): Promise<SlurmCluster> {
  const folder = mkdtempSync(join(tmpdir(), "lrscope-slurm-"));
  // Munge asks that everybody can reach its socket.
  chmodSync(folder, 0o755);
  for (const name of ["ctld", "n1", "n2"]) mkdirSync(join(folder, name), { recursive: true });
  const inside = (name: string) => join(folder, name);
  const [controller, first, second] = await freePorts(3);
  writeFileSync(inside("munge.key"), randomBytes(128), { mode: 0o400 });
  writeFileSync(inside("cgroup.conf"), "CgroupPlugin=cgroup/v1\n");
  const conf = inside("slurm.conf");
  const host = hostname();
  writeFileSync(
    conf,
    `ClusterName=lrscope
SlurmctldHost=${host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=${inside("munge.sock")}
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPort=${controller}
StateSaveLocation=${inside("ctld")}
SlurmdSpoolDir=${inside("%n")}
SlurmctldPidFile=${inside("ctld.pid")}
SlurmdPidFile=${inside("%n.pid")}
SlurmctldLogFile=${inside("ctld.log")}
SlurmdLogFile=${inside("%n.log")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout=4
KillWait=2
JobRequeue=1
MinJobAge=2
MaxArraySize=4
NodeName=n1 NodeHostname=${host} NodeAddr=127.0.0.1 Port=${first} CPUs=4
NodeName=n2 NodeHostname=${host} NodeAddr=127.0.0.1 Port=${second} CPUs=4
PartitionName=main Nodes=n1,n2 Default=YES LLN=YES MaxTime=INFINITE State=UP
${[...more, ...(onSubmit === undefined ? [] : ["JobSubmitPlugins=lua"])].join("\n")}
`,
  );
  if (onSubmit !== undefined)
    writeFileSync(
      inside("job_submit.lua"),
      `function slurm_job_submit(job) ${onSubmit} return slurm.SUCCESS end
function slurm_job_modify() return slurm.SUCCESS end
return slurm.SUCCESS
`,
    );
  const environment = { SLURM_CONF: conf };
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, {
      encoding: "utf8",
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
  const munge = (name: string) => `--${name}=${inside(`munged.${name}`)}`;
  run(
    "munged",
    ...[`--key-file=${inside("munge.key")}`, `--socket=${inside("munge.sock")}`],
    ...[munge("pid-file"), munge("log-file"), munge("seed-file")],
  );
  run("slurmctld", "-c");
  run("slurmd", "-N", "n1");
  run("slurmd", "-N", "n2");
  const kill = (pidOf: () => number, signal: NodeJS.Signals = "SIGKILL") => {
    try {
      process.kill(pidOf(), signal);
    } catch {
      // It has ended before.
    }
  };
  const killDaemon = (name: string, signal?: NodeJS.Signals) =>
    kill(() => Number(readFileSync(inside(name), "utf8")), signal);
  /** Those that watch over the scripts first, as they would report that these were killed. */
  const killAll = (node: string) => {
    const found = processesWith(`SLURMD_NODENAME=${node}`, `SLURM_CONF=${conf}`);
    const watching = found.map(parentOf).filter((pid) => commandOf(pid) === "slurmstepd");
    for (const pid of new Set([...watching, ...found])) kill(() => pid);
  };
  return {
    environment,
    run,
    killNode(node) {
      killDaemon(`${node}.pid`);
      killAll(node);
    },
    endController: () => killDaemon("ctld.pid", "SIGTERM"),
    startController: () => void run("slurmctld"),
    stop() {
      for (const node of ["n1", "n2"]) killAll(node);
      for (const name of ["n1.pid", "n2.pid", "ctld.pid", "munged.pid-file"]) killDaemon(name);
      // Those that watched over scripts which had ended wait for a node to hear of it.
      for (const pid of processesWith(`SLURM_CONF=${conf}`)) kill(() => pid);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Numbers of the processes whose environment says all of this, as those of a node's jobs know where they are. */
function processesWith(...marks: readonly string[]): number[] {
  return execFileSync("ls", ["/proc"], { encoding: "utf8" })
    .split("\n")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
        return marks.every((mark) => environment.includes(mark));
      } catch {
        return false;
      }
    })
    .map(Number);
}

const statusOf = (pid: number, name: string): string => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
  } catch {
    return "";
  }
};
const parentOf = (pid: number) => Number(statusOf(pid, "PPid"));
const commandOf = (pid: number) => statusOf(pid, "Name");
