// What the table sees of batch normalisation: the variant with the widest vectors that this build
// and this processor have, and the layout fills.
#include "kernels/norm/variant.h"
#include "kernels/simd/lanes.h"

namespace lrscope {

namespace norm {

namespace {

// As oneDNN sees the processor, like winograd.cc.
const Variant& variant(const std::string& layout) {
  const bool wide = kAvx512 && onednn::isa().rfind("avx512", 0) == 0 && layout != "aBcd8b";
  return wide ? *kAvx512 : *kAvx2;
}

// Both directions see x, or what has its layout, first.
template <Kernel Variant::*kernel>
constexpr Kernel kChosen = {
    [](const LayoutQuestion& q) { return (variant(viewLayout(q.inputs[0])).*kernel).choose(q); },
    [](const Site& site) { return (variant(site.inputs[0].layout).*kernel).build(site); }};

}  // namespace

}  // namespace norm

using norm::kChosen;
using norm::Variant;

const Kernel kBatchNormTrain = kChosen<&Variant::train>;
const Kernel kBatchNormEvaluate = kChosen<&Variant::evaluate>;
const Kernel kBatchNormEvaluateBackward = kChosen<&Variant::evaluateBackward>;
const Kernel kBatchNormBackward = kChosen<&Variant::backward>;
const Kernel kBatchNormAddTrain = kChosen<&Variant::addTrain>;
const Kernel kBatchNormAddEvaluate = kChosen<&Variant::addEvaluate>;
const Kernel kBatchNormAddBackward = kChosen<&Variant::addBackward>;
const Kernel kBatchNormPoolTrain = kChosen<&Variant::poolTrain>;
const Kernel kBatchNormPoolBackward = kChosen<&Variant::poolBackward>;

}  // namespace lrscope
