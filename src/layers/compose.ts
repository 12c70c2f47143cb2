/** @file How layers are put together: in sequence, and around a residual connection. */

import * as ops from "../ops/index.ts";
import { childScope, type Layer } from "./layer.ts";

/**
 * One layer after another. A list names them by position ("0", "1", ...), an object by key, as
 * PyTorch's Sequential and named attributes do.
 */
export function sequential(layers: readonly Layer[] | Readonly<Record<string, Layer>>): Layer {
  return {
    build: (input, scope) =>
      Object.entries(layers).reduce(
        (x, [name, layer]) => layer.build(x, childScope(scope, name)),
        input,
      ),
  };
}

/** Of residual. */
export interface ResidualOptions {
  /** Its parameters are named as if it stood alone. */
  readonly branch: Layer;
  /** What the input goes through on the other way, named "downsample"; default: nothing. */
  readonly downsample?: Layer;
}

/** branch(x) + downsample(x); the two must have one shape. Follow it with a relu. */
export function residual({ branch, downsample }: ResidualOptions): Layer {
  return {
    build(x, scope) {
      const a = branch.build(x, scope);
      const b = downsample ? downsample.build(x, childScope(scope, "downsample")) : x;
      return scope.builder.apply(ops.add, scope.name, { a, b }, {}).y;
    },
  };
}
