/** The part of asciichart 1.5 that is used here; the package brings no types. */
declare module "asciichart" {
  export interface PlotOptions {
    /** Rows between the least and the greatest value. */
    height?: number;
    min?: number;
    max?: number;
    /** Columns before the axis; default 3. */
    offset?: number;
    format?: (value: number, index: number) => string;
  }
  export function plot(series: readonly (readonly number[])[], options?: PlotOptions): string;
}
