/** A processor with fewer vector instructions than any that tests run on is taken for: its engine computes otherwise. */
export const OTHER_PROCESSOR = { ONEDNN_MAX_CPU_ISA: "SSE41" };
