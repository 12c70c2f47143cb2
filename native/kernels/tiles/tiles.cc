// What convolution.cc sees of products by tiles.
#include "kernels/tiles/tiles.h"

namespace lrscope::tiles {

namespace {

constexpr int64_t kLanes = 16;
// Of an image: its taps become rows of tiles, so that not many may stay empty.
constexpr int64_t kFewChannels = 4, kMostTaps = 512;

bool isFew(int64_t channels) { return channels <= kFewChannels; }

}  // namespace

bool takes(const Problem& p) {
  if (!kAmx || !onednn::multipliesTiles()) return false;
  for (const Tensor* activation : {&p.x, &p.dy})
    if (activation->dtype != DType::bf16 || activation->layout != "acdb") return false;
  const int64_t channels = p.weight.dim(1);
  const int64_t taps = channels * p.weight.dim(2) * p.weight.dim(3);
  return p.weight.dtype == DType::f32 && p.weight.groups == 1 && p.dy.dim(1) % kLanes == 0 &&
         (channels % kLanes == 0 || (isFew(channels) && taps >= kLanes && taps <= kMostTaps));
}

std::string weightLayout(int64_t channels) { return isFew(channels) ? "abcd" : "ABcd16b16a"; }

size_t scratchBytes(const Problem& p) { return kAmx->scratchBytes(p); }

std::unique_ptr<Step> makeStep(const Site& site, const Product& o) {
  const Problem p{o.x, o.weight, o.y, site.attributes.pair("stride"),
                  site.attributes.pair("padding")};
  if (!takes(p))
    throw Refusal("has no product by tiles for \"" + o.x.layout + "\", \"" + o.weight.layout +
                  "\" and \"" + o.y.layout + "\" here");
  expectLayout(o.weight, weightLayout(o.weight.dim(1)));
  return kAmx->makeStep(site, o);
}

std::unique_ptr<Step> makeWeave(const Operand& x, const Operand& y) {
  return kAmx && onednn::multipliesTiles() ? kAmx->makeWeave(x, y) : nullptr;
}

}  // namespace lrscope::tiles
