/**
 * @file Which implementation computes each convolution, as plain data: by shape and pass, so that it
 * can be stored in plan.json, and holds for the smaller last batch and for evaluation too.
 */

import type { ImplementationChoice } from "../../compile/index.ts";
import type { LayoutRequest } from "../../program/index.ts";

/** Implementation by convolution key; a convolution that is not named follows the backend's rule. */
export type ConvolutionChoices = Readonly<Record<string, string>>;

const PASSES: Readonly<Record<string, string>> = {
  conv2d: "forward",
  conv2dBackwardData: "backward-data",
  conv2dBackwardWeights: "backward-weights",
};

/** Whether an instruction is a convolution in one of its passes. */
export const isConvolution = (kind: string): boolean => kind in PASSES;

/**
 * A convolution's pass and shapes, the batch left out:
 * "backward-data 32x64x64 > 64x64x64 by 3x3 stride 1x1 padding 1x1".
 */
export function convolutionKey({
  kind,
  attributes,
  inputs,
  outputs,
}: {
  readonly kind: string;
  readonly attributes: LayoutRequest["attributes"];
  readonly inputs: readonly { readonly shape: readonly number[] }[];
  readonly outputs: readonly { readonly shape: readonly number[] }[];
}): string {
  const [first, second] = inputs;
  const result = outputs[0]!;
  const [x, weight, y] =
    kind === "conv2d"
      ? [first!, second!, result]
      : kind === "conv2dBackwardData"
        ? [result, second!, first!]
        : [first!, result, second!];
  const image = ({ shape }: { readonly shape: readonly number[] }) => shape.slice(1).join("x");
  const pair = (name: string) => (attributes[name] as readonly number[]).join("x");
  const kernel = weight.shape.slice(2).join("x");
  const after = attributes.paddingAfter === undefined ? "" : ` after ${pair("paddingAfter")}`;
  const groups = attributes.groups === undefined ? "" : ` groups ${attributes.groups}`;
  return `${PASSES[kind]} ${image(x)} > ${image(y)} by ${kernel} stride ${pair("stride")} padding ${pair("padding")}${after}${groups}`;
}

/** For compileNetwork. */
export const implementationsOf =
  (choices: ConvolutionChoices): ImplementationChoice =>
  (request) =>
    isConvolution(request.kind) ? choices[convolutionKey(request)] : undefined;
