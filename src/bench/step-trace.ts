/**
 * @file A profile in Chrome's trace event format, which ui.perfetto.dev, chrome://tracing and speedscope open.
 * Format: "Trace Event Format", docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.
 */

import type { StepProfile } from "./profile.ts";

/** "X": a span; "M": a name; "C": a value that is drawn as a curve. Times in microseconds. */
export interface TraceEvent {
  readonly ph: "X" | "M" | "C";
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args: Readonly<Record<string, string | number>>;
}

export interface StepTrace {
  readonly displayTimeUnit: "ms";
  readonly otherData: Readonly<Record<string, string | number>>;
  readonly traceEvents: readonly TraceEvent[];
}

const PROCESS = { pid: 1, tid: 1 } as const;

/**
 * Every timed step as a span, in it its parts (forward, backward, update), in them the instructions end to end
 * from the step's beginning; beside them curves of GB/s and GFLOP/s. What a step takes beyond its instructions
 * (the way to the engine's thread and back) is the end of its span.
 */
export function stepTrace(
  profile: StepProfile,
  about: Readonly<Record<string, string | number>> = {},
): StepTrace {
  const { machine, program, instructions } = profile;
  const traceEvents: TraceEvent[] = [
    { ph: "M", name: "process_name", ...PROCESS, args: { name: `lrscope: ${program}` } },
    { ph: "M", name: "thread_name", ...PROCESS, args: { name: "engine" } },
  ];
  const span = (name: string, cat: string, args: TraceEvent["args"], times: [number, number]) =>
    traceEvents.push({
      ...{ ph: "X", name, cat, ...PROCESS, args },
      ...{ ts: times[0] * 1000, dur: times[1] * 1000 },
    });
  profile.recorded.forEach(({ startMs, ms, instructionMs }, number) => {
    span(`step ${number + 1}`, "step", {}, [startMs, ms]);
    const starts = [startMs];
    for (const took of instructionMs) starts.push((starts.at(-1) ?? startMs) + took);
    for (const part of ["forward", "backward", "update"] as const) {
      const of = instructions.filter((one) => one.part === part);
      const [first, last] = [of[0], of.at(-1)];
      if (!first || !last) continue;
      const begin = starts[first.index] ?? startMs;
      span(part, "part", {}, [begin, (starts[last.index + 1] ?? begin) - begin]);
    }
    for (const instruction of instructions) {
      const { index, kind, layer, part, implementation, bytes, flops, leastMs, bound } =
        instruction;
      const [begin = startMs, took = 0] = [starts[index], instructionMs[index]];
      span(`${layer} ${kind}`, part, { index, implementation, bytes, flops, leastMs, bound }, [
        begin,
        took,
      ]);
      if (took <= 0) continue;
      const curve = (name: string, value: number) =>
        traceEvents.push({
          ...{ ph: "C", name, ...PROCESS, ts: begin * 1000, args: { [name]: value } },
        });
      curve("GB/s", bytes / took / 1e6);
      curve("GFLOP/s", flops / took / 1e6);
    }
  });
  return {
    displayTimeUnit: "ms",
    otherData: {
      ...about,
      "memory GB/s": machine.gbPerSecond,
      "fp32 GFLOP/s": machine.gflops.f32,
      "start of an instruction, ms": machine.startMs,
    },
    traceEvents,
  };
}
