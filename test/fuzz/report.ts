/** @file What every fuzzer of this folder takes and gives, and how a sanitized process is set up. */

export interface FuzzOptions {
  readonly seed: number;
  /** Number of the first case; a case is a function of seed and number alone. Default 0. */
  readonly first?: number;
  readonly count: number;
  /** Called with the number of further cases that are done. */
  readonly onProgress?: (more: number) => void;
}

/** Something that must not be. */
export interface Finding {
  /** One line. */
  readonly what: string;
  /** A command, or seed and number of the case. */
  readonly reproduce: string;
  readonly detail?: string;
}

export interface FuzzSummary {
  readonly name: string;
  readonly inputs: number;
  /** How often each outcome was met, such as "pixels" and "named reason". */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

/**
 * Environment of a sanitized process. One allocation above 1 GiB, or 2 GiB resident in all, ends it: the
 * decoder's own limits lie below.
 */
export function environment(more: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ASAN_OPTIONS:
      "detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=1:" +
      "max_allocation_size_mb=1024:hard_rss_limit_mb=2048:allocator_may_return_null=0",
    UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1:abort_on_error=1",
    ...more,
  };
}

/** Sum of several runs of one fuzzer. */
export function add(a: FuzzSummary, b: FuzzSummary): FuzzSummary {
  const outcomes = { ...a.outcomes };
  for (const [name, count] of Object.entries(b.outcomes))
    outcomes[name] = (outcomes[name] ?? 0) + count;
  return {
    name: a.name,
    inputs: a.inputs + b.inputs,
    outcomes,
    findings: [...a.findings, ...b.findings],
  };
}
