/** @file The averaging that Schedule-Free optimizers share: Defazio et al. 2024, equations 2 to 4. */

import type { StateDeclaration, UpdateInputs } from "../define.ts";
import type { Scalar, Vector } from "../expression.ts";

/**
 * z, x and y after a step of z against the direction, and the scalars behind the average's weights.
 * States "z" and "x" begin as copies of the parameter, "greatestWeight" and "weightSum" at 0.
 */
export function scheduleFreeStep(
  {
    state,
    scalarState,
    lr,
    t,
  }: UpdateInputs<{
    z: StateDeclaration<"parameter">;
    x: StateDeclaration<"parameter">;
    greatestWeight: StateDeclaration<"global">;
    weightSum: StateDeclaration<"global">;
  }>,
  direction: Vector,
  weights: Readonly<Record<"learningRate" | "momentum" | "ratePower" | "weightPower", Scalar>>,
) {
  const { learningRate, momentum, ratePower, weightPower } = weights;
  // As powers rise with their base, the greatest rate ^ power is the greatest power.
  const greatestWeight = scalarState.greatestWeight.max(learningRate.pow(ratePower));
  const weight = greatestWeight.mul(t.pow(weightPower));
  const weightSum = scalarState.weightSum.add(weight);
  const share = weight.div(weightSum.positiveOr(1));
  const z = state.z.sub(direction.mul(lr));
  // In this form nothing moves, to the last bit, where x and z are equal.
  const x = state.x.add(z.sub(state.x).mul(share));
  const y = z.add(x.sub(z).mul(momentum));
  return { z, x, parameter: y, greatestWeight, weightSum };
}
