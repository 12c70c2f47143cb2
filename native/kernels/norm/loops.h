// The variant of batch normalisation for the vectors of simd/lanes.h.
#pragma once
#include "kernels/norm/batch_norm_pool_steps.h"
#include "kernels/norm/variant.h"

namespace lrscope::norm::LRSCOPE_WIDTH {

inline constexpr Variant kVariant = {
    {chooseTrain<false>, buildTrain<false>},         {chooseEvaluate<false>, buildEvaluate<false>},
    {chooseEvaluateBackward, buildEvaluateBackward}, {chooseBackward, buildBackward},
    {chooseTrain<true>, buildTrain<true>},           {chooseEvaluate<true>, buildEvaluate<true>},
    {chooseBackwardAdded, buildBackwardAdded},       {pooled::chooseTrain, pooled::buildTrain},
    {pooled::chooseBackward, pooled::buildBackward},
};

}  // namespace lrscope::norm::LRSCOPE_WIDTH
