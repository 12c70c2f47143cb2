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

// As the first input, else as the last operand of the list that it follows.
LayoutAnswer chooseMap(const LayoutQuestion& q) {
  const Tensor& other = q.inputs.size() == 1 ? q.outputs[0] : q.inputs[1];
  return allIn(q, q.inputs[0].layout == "any" ? leading({&other}) : q.inputs[0].layout);
}

LayoutAnswer chooseAdd(const LayoutQuestion& q) {
  return allIn(q, leading({&q.inputs[0], &q.inputs[1]}));
}

int64_t paddedElements(const Tensor& tensor) {
  return LayoutMap(tensor.layout, tensor.shape).paddedElements();
}

// A NaN passes, as in PyTorch, so that a diverged activation is not hidden; it passes both bounds
// of relu6. The derivatives are of (y, dy).
inline float relu(float x) { return x <= 0.0f ? 0.0f : x; }
inline float relu6(float x) { return x >= 6.0f ? 6.0f : relu(x); }
inline float reluBackward(float y, float dy) { return y > 0.0f ? dy : 0.0f; }
inline float relu6Backward(float y, float dy) { return y > 0.0f && y < 6.0f ? dy : 0.0f; }
inline float sum(float a, float b) { return a + b; }
inline float sumRelu(float a, float b) { return relu(a + b); }

// to = op(from), element by element.
template <float (*op)(float), class T>
void map(const T* from, T* to, int64_t count) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; ++i) to[i] = narrow<T>(op(wide(from[i])));
}

// to = op(a, b), element by element.
template <float (*op)(float, float), class T>
void map(const T* a, const T* b, T* to, int64_t count) {
#pragma omp parallel for simd schedule(static)
  for (int64_t i = 0; i < count; ++i) to[i] = narrow<T>(op(wide(a[i]), wide(b[i])));
}

template <float (*op)(float)>
std::unique_ptr<Step> build(const Site& site) {
  const Operand x = site.inputs[0], y = site.outputs[0];
  expectAlike(x, y);
  const int64_t count = paddedElements(x);
  return withElement(x, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) { map<op>(x.data<T>(run), y.data<T>(run), count); });
  });
}

template <float (*op)(float, float)>
std::unique_ptr<Step> build(const Site& site) {
  const Operand a = site.inputs[0], b = site.inputs[1], y = site.outputs[0];
  expectAlike(a, b);
  expectAlike(a, y);
  const int64_t count = paddedElements(a);
  return withElement(a, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      map<op>(a.data<T>(run), b.data<T>(run), y.data<T>(run), count);
    });
  });
}

std::unique_ptr<Step> buildAdd(const Site& site) {
  return site.attributes.flag("relu") ? build<sumRelu>(site) : build<sum>(site);
}

}  // namespace

std::unique_ptr<Step> thenRelu(std::unique_ptr<Step> step, const Operand& y) {
  const int64_t count = paddedElements(y);
  const std::shared_ptr<Step> first = std::move(step);
  return withElement(y, [&](auto element) {
    using T = decltype(element);
    return makeStep([=](const RunContext& run) {
      first->run(run);
      map<relu>(y.data<T>(run), y.data<T>(run), count);
    });
  });
}

const Kernel kRelu = {chooseMap, build<relu>};
const Kernel kReluBackward = {chooseMap, build<reluBackward>};
const Kernel kRelu6 = {chooseMap, build<relu6>};
const Kernel kRelu6Backward = {chooseMap, build<relu6Backward>};
const Kernel kAdd = {chooseAdd, buildAdd};

}  // namespace lrscope
