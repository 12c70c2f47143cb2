// relu, relu6, their derivatives, and add: flat loops over whatever layout the operands share. The
// padding takes part, and stays zero.
#include "kernels/kernels.h"

namespace lrscope {

namespace {

// The first layout that is neither free nor plain; else the first that is given; else plain.
std::string leading(const std::vector<const Tensor*>& operands) {
  const std::string plain = plainLayout(operands[0]->shape.size());
  for (const Tensor* operand : operands)
    if (operand->layout != "any" && operand->layout != plain) return operand->layout;
  return plain;
}

LayoutAnswer allIn(const LayoutQuestion& q, const std::string& layout) {
  LayoutAnswer a;
  a.inputs.assign(q.inputs.size(), layout);
  a.outputs.assign(q.outputs.size(), layout);
  return withBytes(q, a);
}

LayoutAnswer chooseRelu(const LayoutQuestion& q) {
  expectCounts(q, 1, 1, 1, 1);
  return allIn(q, q.inputs[0].layout == "any" ? leading({&q.outputs[0]}) : q.inputs[0].layout);
}

LayoutAnswer chooseReluBackward(const LayoutQuestion& q) {
  expectCounts(q, 2, 2, 1, 1);
  return allIn(q, q.inputs[0].layout == "any" ? leading({&q.inputs[1]}) : q.inputs[0].layout);
}

LayoutAnswer chooseAdd(const LayoutQuestion& q) {
  expectCounts(q, 2, 2, 1, 1);
  return allIn(q, leading({&q.inputs[0], &q.inputs[1]}));
}

int64_t paddedElements(const Tensor& tensor) {
  return LayoutMap(tensor.layout, tensor.shape).paddedElements();
}

// A NaN passes, as in PyTorch, so that a diverged activation is not hidden.
inline float positive(float value) { return value <= 0.0f ? 0.0f : value; }

template <class T>
void applyPositive(const T* from, T* to, int64_t count) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; ++i) to[i] = narrow<T>(positive(wide(from[i])));
}

// A NaN passes both bounds.
inline float clamped(float value) { return value >= 6.0f ? 6.0f : positive(value); }

std::unique_ptr<Step> buildRelu(const Site& site) {
  expectOperands(site, 1, 1, 1, 1);
  const Operand &x = site.inputs[0], &y = site.outputs[0];
  expectAlike(x, y);
  const int64_t count = paddedElements(x);
  return withElement(x, [&](auto element) {
    using T = decltype(element);
    return makeStep(
        [=](const RunContext& run) { applyPositive(x.data<T>(run), y.data<T>(run), count); });
  });
}

std::unique_ptr<Step> buildReluBackward(const Site& site) {
  expectOperands(site, 2, 2, 1, 1);
  const Operand &y = site.inputs[0], &dy = site.inputs[1], &dx = site.outputs[0];
  expectAlike(y, dy);
  expectAlike(y, dx);
  const int64_t count = paddedElements(y);
  return withElement(y, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T *output = y.data<T>(run), *from = dy.data<T>(run);
      T* to = dx.data<T>(run);
#pragma omp parallel for simd schedule(static)
      for (int64_t i = 0; i < count; ++i)
        to[i] = narrow<T>(wide(output[i]) > 0.0f ? wide(from[i]) : 0.0f);
    });
  });
}

std::unique_ptr<Step> buildRelu6(const Site& site) {
  expectOperands(site, 1, 1, 1, 1);
  const Operand &x = site.inputs[0], &y = site.outputs[0];
  expectAlike(x, y);
  const int64_t count = paddedElements(x);
  return withElement(x, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T* from = x.data<T>(run);
      T* to = y.data<T>(run);
#pragma omp parallel for simd schedule(static)
      for (int64_t i = 0; i < count; ++i) to[i] = narrow<T>(clamped(wide(from[i])));
    });
  });
}

std::unique_ptr<Step> buildRelu6Backward(const Site& site) {
  expectOperands(site, 2, 2, 1, 1);
  const Operand &y = site.inputs[0], &dy = site.inputs[1], &dx = site.outputs[0];
  expectAlike(y, dy);
  expectAlike(y, dx);
  const int64_t count = paddedElements(y);
  return withElement(y, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T *output = y.data<T>(run), *from = dy.data<T>(run);
      T* to = dx.data<T>(run);
#pragma omp parallel for simd schedule(static)
      for (int64_t i = 0; i < count; ++i) {
        const float value = wide(output[i]);
        to[i] = narrow<T>(value > 0.0f && value < 6.0f ? wide(from[i]) : 0.0f);
      }
    });
  });
}

std::unique_ptr<Step> buildAdd(const Site& site) {
  expectOperands(site, 2, 2, 1, 1);
  const Operand &a = site.inputs[0], &b = site.inputs[1], &y = site.outputs[0];
  expectAlike(a, b);
  expectAlike(a, y);
  const int64_t count = paddedElements(a);
  const bool relu = site.attributes.flag("relu");
  return withElement(a, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      const T *left = a.data<T>(run), *right = b.data<T>(run);
      T* to = y.data<T>(run);
      if (relu) {
#pragma omp parallel for simd schedule(static)
        for (int64_t i = 0; i < count; ++i)
          to[i] = narrow<T>(positive(wide(left[i]) + wide(right[i])));
        return;
      }
#pragma omp parallel for simd schedule(static)
      for (int64_t i = 0; i < count; ++i) to[i] = narrow<T>(wide(left[i]) + wide(right[i]));
    });
  });
}

}  // namespace

std::unique_ptr<Step> thenRelu(std::unique_ptr<Step> step, const Operand& y) {
  const int64_t count = paddedElements(y);
  const std::shared_ptr<Step> first = std::move(step);
  return withElement(y, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      first->run(run);
      applyPositive(y.data<T>(run), y.data<T>(run), count);
    });
  });
}

const Kernel kRelu = {chooseRelu, buildRelu};
const Kernel kReluBackward = {chooseReluBackward, buildReluBackward};
const Kernel kRelu6 = {chooseRelu, buildRelu6};
const Kernel kRelu6Backward = {chooseReluBackward, buildRelu6Backward};
const Kernel kAdd = {chooseAdd, buildAdd};

}  // namespace lrscope
