/** @file What every model of the collection takes. */

/** What every network of the collection takes. */
export interface ModelOptions {
  readonly classes: number;
  /** Of the images: 1 or 3. */
  readonly channels: number;
  /** Height and width of the images. */
  readonly size: number;
}
