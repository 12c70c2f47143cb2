// The instructions of a first block: operands and their checks, and what follows from the sums.
#include "kernels/conv_norm_pool/conv_norm_pool.h"

#include <algorithm>
#include <cmath>

#include "kernels/simd/lanes.h"

namespace lrscope::conv_norm_pool {

int64_t Shapes::bands() const {
  constexpr int64_t kLeastParts = 32;
  return std::clamp<int64_t>((kLeastParts + y.dim(0) - 1) / y.dim(0), 1, pooledHeight());
}

namespace {

// As oneDNN sees the processor, like winograd.cc.
const Variant* best() { return onednn::isa().rfind("avx512", 0) == 0 && kAvx512 ? kAvx512 : kAvx2; }

// The layout of a pooled result: what the next convolution likes, where there are loops for it.
std::string pooledLayout(Tensor y) {
  if (!best()) throw Refusal("this build has no loops for a first block");
  for (const std::string& layout :
       {activationLayout(y.dim(1), y.dtype), std::string("aBcd16b"), std::string("aBcd8b")}) {
    y.layout = layout;
    if (best()->takes(y)) return layout;
  }
  throw Refusal("takes a multiple of 16 output channels; got " + std::to_string(y.dim(1)));
}

Shapes shapesOf(const Attributes& attributes, const Tensor& x, const Tensor& weight,
                const Tensor& y) {
  for (const Tensor* tensor : {&x, &weight, &y})
    if (tensor->shape.size() != 4)
      throw Refusal("expects tensors of rank 4; got shape " + formatShape(tensor->shape));
  const Shapes s{x, weight, y, attributes.pair("padding")};
  constexpr int64_t kMostTaps = 64;
  if (x.dim(0) < 1 || x.dim(0) != y.dim(0) || x.dim(1) != weight.dim(1) ||
      weight.dim(0) != y.dim(1) || s.taps() > kMostTaps)
    throw Refusal("x " + formatShape(x.shape) + ", weight " + formatShape(weight.shape) +
                  " and y " + formatShape(y.shape) + " do not fit each other, or have more than " +
                  std::to_string(kMostTaps - 1) + " weights an output");
  for (int i = 0; i < 2; ++i)
    if (s.padding[i] < 0 || s.padding[i] >= weight.dim(2 + i) || y.dim(2 + i) < 1 ||
        x.dim(2 + i) + 2 * s.padding[i] - weight.dim(2 + i) + 1 != 2 * y.dim(2 + i))
      throw Refusal("padding and pairs of pixels do not lead from " + formatShape(x.shape) +
                    " to " + formatShape(y.shape));
  return s;
}

// Each thread's memory, then the sums of parts, then vectors of the outputs.
struct Scratch {
  int64_t threadFloats, sumDoubles, vectorFloats;

  Scratch(const Shapes& s, int64_t sumsOfPart, int64_t vectors)
      : threadFloats(best()->ownFloats(s) * omp_get_max_threads()),
        sumDoubles(s.parts() * sumsOfPart),
        vectorFloats(vectors * s.outputs()) {}
  size_t bytes() const {
    return threadFloats * sizeof(float) + sumDoubles * sizeof(double) +
           vectorFloats * sizeof(float);
  }
  float* own(const RunContext& run, const Operand& at) const { return at.f32(run); }
  double* sums(const RunContext& run, const Operand& at) const {
    return reinterpret_cast<double*>(at.f32(run) + threadFloats);
  }
  float* vectors(const RunContext& run, const Operand& at) const {
    return reinterpret_cast<float*>(sums(run, at) + sumDoubles);
  }
};

Scratch forwardScratch(const Shapes& s) { return {s, momentCount(s.taps()), s.taps() - 1 + 3}; }
Scratch backwardScratch(const Shapes& s) { return {s, s.taps() * s.outputs(), 0}; }

// The workspace: means and covariances of the taps, then each pooled value's position.
struct Workspace {
  int64_t taps;
  explicit Workspace(const Shapes& s) : taps(s.taps() - 1) {}
  size_t headerBytes() const {
    constexpr size_t kLine = 64;
    return (taps * (taps + 1) * sizeof(double) + kLine - 1) / kLine * kLine;
  }
  size_t bytes(const Tensor& y) const { return headerBytes() + layoutBytes(y) / sizeOf(y.dtype); }
};

// Means of the taps, then (tap, tap) covariances.
struct Moments {
  double* mean;
  int64_t taps;
  double& covariance(int64_t t, int64_t u) const { return mean[taps + t * taps + u]; }

  // Of the parts' sums, which are added in their order.
  void take(const Shapes& s, const double* sums) const {
    const int64_t row = s.taps(), count = momentCount(row);
    const auto total = [&](int64_t t, int64_t u) {
      double sum = 0;
      for (int64_t part = 0; part < s.parts(); ++part)
        sum += sums[part * count + std::min(t, u) * row + std::max(t, u)];
      return sum / s.places();
    };
    for (int64_t t = 0; t < taps; ++t) mean[t] = total(t, taps);
    for (int64_t t = 0; t < taps; ++t)
      for (int64_t u = t; u < taps; ++u)
        covariance(t, u) = covariance(u, t) = total(t, u) - mean[t] * mean[u];
  }
  double meanOf(const double* weights) const {
    double sum = 0;
    for (int64_t t = 0; t < taps; ++t) sum += weights[t] * mean[t];
    return sum;
  }
  // C w
  std::vector<double> spread(const double* weights) const {
    std::vector<double> result(taps);
    for (int64_t t = 0; t < taps; ++t)
      for (int64_t u = 0; u < taps; ++u) result[t] += covariance(t, u) * weights[u];
    return result;
  }
};

// (output, tap), whatever they are stored as.
std::vector<double> weightsOf(const Operand& weight, const RunContext& run) {
  std::vector<double> values(weight.elements());
  withElement(weight, [&](auto element) {
    const auto* from = weight.data<decltype(element)>(run);
    for (size_t i = 0; i < values.size(); ++i) values[i] = wide(from[i]);
  });
  return values;
}

void expectPlain(const Operand& operand, DType dtype) {
  expectType(operand, dtype);
  expectLayout(operand, plainLayout(4));
}

void expectPooled(const Operand& operand, const Shapes& s) {
  expectType(operand, s.x.dtype);
  if (!best() || !best()->takes(operand))
    throw Refusal("has no loops for \"" + operand.name + "\" in the layout \"" + operand.layout +
                  "\"");
}

LayoutAnswer chooseTrain(const LayoutQuestion& q) {
  Tensor y = q.outputs[0];
  const Shapes s = shapesOf(q.attributes, q.inputs[0], q.inputs[1], y);
  y.layout = pooledLayout(y);
  LayoutAnswer a;
  for (const Tensor& tensor : q.inputs) a.inputs.push_back(plainLayout(tensor.shape.size()));
  a.outputs = {y.layout, "a", "a"};
  a.outputBytes.assign(q.outputs.size(), 0);
  if (q.outputs.size() == 4) {
    a.outputs.emplace_back("opaque");
    a.outputBytes[3] = Workspace(s).bytes(y);
  }
  a.scratchBytes = forwardScratch(s).bytes();
  return withBytes(q, a);
}

std::unique_ptr<Step> buildTrain(const Site& site) {
  const auto in = site.inputs, out = site.outputs;
  const Operand scratch = site.scratch;
  const Shapes s = shapesOf(site.attributes, in[0], in[1], out[0]);
  for (const Operand* operand : {&in[0], &in[1]}) expectPlain(*operand, in[0].dtype);
  expectPooled(out[0], s);
  for (size_t i = 2; i < in.size(); ++i) expectVector(in[i], s.outputs());
  for (size_t i = 1; i < 3; ++i) expectVector(out[i], s.outputs());
  const bool remembers = out.size() == 4, biased = in.size() == 7;
  const Workspace workspace(s);
  if (remembers && out[3].bytes < workspace.bytes(out[0]))
    throw Refusal("the workspace is too small");
  const Scratch memory = forwardScratch(s);
  expectScratch(site, memory.bytes());
  const double epsilon = site.attributes.number("epsilon");
  const double momentum = site.attributes.number("momentum");
  const bool relu = site.attributes.flag("relu");
  return makeStep([=](const RunContext& run) {
    double* sums = memory.sums(run, scratch);
    const Loop loop{s, in[0].at(run), memory.own(run, scratch), sums};
    best()->sumMoments(loop);
    // The first part's sums are read before they are overwritten, where nothing is remembered.
    std::vector<double> kept(workspace.taps * (workspace.taps + 1));
    const Moments moments{kept.data(), workspace.taps};
    moments.take(s, sums);
    if (remembers) std::copy(kept.begin(), kept.end(), out[3].data<double>(run));

    const std::vector<double> weights = weightsOf(in[1], run);
    float* packed = memory.vectors(run, scratch);
    float *shift = packed + workspace.taps * s.outputs(), *scale = shift + s.outputs(),
          *beta = scale + s.outputs();
    for (int64_t o = 0; o < s.outputs(); ++o) {
      const double* own = weights.data() + o * workspace.taps;
      const std::vector<double> spread = moments.spread(own);
      double biased2 = 0;
      for (int64_t t = 0; t < workspace.taps; ++t) {
        biased2 += own[t] * spread[t];
        packed[t * s.outputs() + o] = static_cast<float>(own[t]);
      }
      const double variance = biased2 < 0 ? 0 : biased2, centre = moments.meanOf(own);
      const double mean = centre + (biased ? in[6].f32(run)[o] : 0);
      const double unbiased = variance * s.places() / (s.places() - 1);
      float &runningMean = in[4].f32(run)[o], &runningVariance = in[5].f32(run)[o];
      out[1].f32(run)[o] = static_cast<float>(mean);
      out[2].f32(run)[o] = static_cast<float>(variance);
      runningMean = static_cast<float>((1 - momentum) * runningMean + momentum * mean);
      runningVariance = static_cast<float>((1 - momentum) * runningVariance + momentum * unbiased);
      shift[o] = static_cast<float>(centre);
      scale[o] = static_cast<float>(in[2].f32(run)[o] / std::sqrt(variance + epsilon));
      beta[o] = in[3].f32(run)[o];
    }
    best()->normalise(loop,
                      {packed, shift, scale, beta, relu, out[0].at(run),
                       remembers ? out[3].data<uint8_t>(run) + workspace.headerBytes() : nullptr});
  });
}

// The question's x and dy have the shapes of x and y.
LayoutAnswer chooseBackward(const LayoutQuestion& q) {
  const Shapes s = shapesOf(q.attributes, q.inputs[0], q.inputs[1], q.inputs[2]);
  LayoutAnswer a;
  for (const Tensor& tensor : q.inputs)
    a.inputs.push_back(tensor.dtype == DType::u8 ? "opaque" : plainLayout(tensor.shape.size()));
  a.inputs[2] = pooledLayout(q.inputs[2]);
  for (const Tensor& tensor : q.outputs) a.outputs.push_back(plainLayout(tensor.shape.size()));
  a.scratchBytes = backwardScratch(s).bytes();
  return withBytes(q, a);
}

std::unique_ptr<Step> buildBackward(const Site& site) {
  const auto in = site.inputs, out = site.outputs;
  const Operand scratch = site.scratch;
  const Shapes s = shapesOf(site.attributes, in[0], in[1], in[2]);
  for (const Operand* operand : {&in[0], &in[1]}) expectPlain(*operand, in[0].dtype);
  expectPooled(in[2], s);
  for (size_t i = 3; i < 5; ++i) expectVector(in[i], s.outputs());
  expectPlain(out[0], DType::f32);
  expectShape(out[0], s.weight.shape);
  for (size_t i = 1; i < out.size(); ++i) expectVector(out[i], s.outputs());
  const Workspace workspace(s);
  if (in[5].bytes < workspace.bytes(in[2])) throw Refusal("the workspace is too small");
  const Scratch memory = backwardScratch(s);
  expectScratch(site, memory.bytes());
  const double epsilon = site.attributes.number("epsilon");
  return makeStep([=](const RunContext& run) {
    double* sums = memory.sums(run, scratch);
    const Loop loop{s, in[0].at(run), memory.own(run, scratch), sums};
    best()->sumGradients(loop, in[2].at(run), in[5].data<uint8_t>(run) + workspace.headerBytes());
    const int64_t taps = workspace.taps, count = s.taps() * s.outputs();
    for (int64_t part = 1; part < s.parts(); ++part)
      for (int64_t i = 0; i < count; ++i) sums[i] += sums[part * count + i];
    const Moments moments{in[5].data<double>(run), taps};
    const std::vector<double> weights = weightsOf(in[1], run);
    for (int64_t o = 0; o < s.outputs(); ++o) {
      const double* own = weights.data() + o * taps;
      const auto sum = [&](int64_t t) { return sums[t * s.outputs() + o]; };
      const std::vector<double> spread = moments.spread(own);
      const double dbeta = sum(taps);
      double product = -moments.meanOf(own) * dbeta;
      for (int64_t t = 0; t < taps; ++t) product += own[t] * sum(t);
      const double inverse = 1 / std::sqrt(in[4].f32(run)[o] + epsilon);
      const double scale = in[3].f32(run)[o] * inverse;
      for (int64_t t = 0; t < taps; ++t)
        out[0].f32(run)[o * taps + t] = static_cast<float>(
            scale * (sum(t) - dbeta * moments.mean[t] - inverse * inverse * product * spread[t]));
      out[1].f32(run)[o] = static_cast<float>(product * inverse);
      out[2].f32(run)[o] = static_cast<float>(dbeta);
      // A normalised value does not depend on the bias.
      if (out.size() == 4) out[3].f32(run)[o] = 0;
    }
  });
}

}  // namespace

}  // namespace lrscope::conv_norm_pool

namespace lrscope {

const Kernel kConvNormPoolTrain = {conv_norm_pool::chooseTrain, conv_norm_pool::buildTrain};
const Kernel kConvNormPoolBackward = {conv_norm_pool::chooseBackward,
                                      conv_norm_pool::buildBackward};

bool hasConvNormPool() { return conv_norm_pool::best() != nullptr; }

}  // namespace lrscope
