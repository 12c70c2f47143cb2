// reorder: the same logical tensor in another layout, on oneDNN; or of another element type, and
// whatever has bf16, by loops of our own, as oneDNN's need a processor with AVX-512 for that.
#include <omp.h>

#include <cstring>

#include "kernels/kernels.h"

namespace lrscope {

namespace {

// 2.x and 3.x make a reorder alike. Those of f32 take no scratchpad; one that did would bring its
// own, as the compiler inserts reorders without asking.
dnnl::reorder::primitive_desc prepare(const Tensor& from, const Tensor& to) {
  return {onednn::engine(), descriptor(from), onednn::engine(), descriptor(to)};
}

// Offsets of the elements: of (a, b, c, d) the sum of one for each dimension.
struct Places {
  std::array<std::vector<int64_t>, 4> of;

  explicit Places(const Tensor& tensor) {
    const LayoutMap map(tensor.layout, tensor.shape);
    for (size_t d = 0; d < 4; ++d) {
      const int64_t extent = d < tensor.shape.size() ? tensor.shape[d] : 1;
      for (int64_t i = 0; i < extent; ++i) {
        std::array<int64_t, 4> index{};
        index[d] = i;
        of[d].push_back(extent == 1 ? 0 : map.offset(index));
      }
    }
  }
};

template <class From, class To>
void convert(const Places& from, const Places& to, const From* x, To* y) {
  const auto rows = static_cast<int64_t>(from.of[0].size());
  const auto columns = static_cast<int64_t>(from.of[1].size());
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t a = 0; a < rows; ++a)
    for (int64_t b = 0; b < columns; ++b) {
      const From* source = x + from.of[0][a] + from.of[1][b];
      To* target = y + to.of[0][a] + to.of[1][b];
      for (size_t c = 0; c < from.of[2].size(); ++c)
        for (size_t d = 0; d < from.of[3].size(); ++d)
          target[to.of[2][c] + to.of[3][d]] =
              narrow<To>(wide(source[from.of[2][c] + from.of[3][d]]));
    }
}

// Whether the layouts, "AB16b64a" and "AB16b64a2b" or "AB8b64a2b", differ in that two rows of 64
// outputs are woven into one: so the instruction that multiplies bf16 wants them.
constexpr int64_t kRow = 64;
bool weaves(const Tensor& from, const Tensor& to) {
  const auto isOf = [](const Tensor& tensor, const char* end) {
    const std::string& layout = tensor.layout;
    const size_t length = std::strlen(end);
    return layout.rfind("AB", 0) == 0 && layout.size() >= length + 3 &&
           layout.size() <= length + 4 && layout.compare(layout.size() - length, length, end) == 0;
  };
  return isOf(from, "b64a") && isOf(to, "b64a2b") &&
         LayoutMap(from.layout, from.shape).paddedElements() ==
             LayoutMap(to.layout, to.shape).paddedElements();
}

template <class From, class To>
void weave(const From* x, To* y, int64_t elements) {
#pragma omp parallel for schedule(static)
  for (int64_t at = 0; at < elements; at += 2 * kRow) {
    const From* rows = x + at;
    To* woven = y + at;
#pragma omp simd
    for (int64_t i = 0; i < kRow; ++i) {
      woven[2 * i] = narrow<To>(wide(rows[i]));
      woven[2 * i + 1] = narrow<To>(wide(rows[kRow + i]));
    }
  }
}

template <class From, class To>
std::unique_ptr<Step> converting(const Operand& x, const Operand& y) {
  const int64_t elements = LayoutMap(y.layout, y.shape).paddedElements();
  if (weaves(x, y))
    return makeStep(
        [=](const RunContext& run) { weave(x.data<From>(run), y.data<To>(run), elements); });
  if (x.layout == y.layout)
    return makeStep([=](const RunContext& run) {
      const From* from = x.data<From>(run);
      To* to = y.data<To>(run);
#pragma omp parallel for simd schedule(static)
      for (int64_t i = 0; i < elements; ++i) to[i] = narrow<To>(wide(from[i]));
    });
  const bool padded = elements > y.elements();
  return makeStep([=, from = Places(x), to = Places(y)](const RunContext& run) {
    if (padded) std::memset(y.at(run), 0, elements * sizeof(To));
    convert(from, to, x.data<From>(run), y.data<To>(run));
  });
}

LayoutAnswer choose(const LayoutQuestion& q) {
  Tensor from = q.inputs[0], to = q.outputs[0];
  if (from.layout == "any") from.layout = plainLayout(from.shape.size());
  if (to.layout == "any") to.layout = plainLayout(to.shape.size());
  LayoutAnswer a;
  a.inputs = {from.layout};
  a.outputs = {to.layout};
  if (from.layout != to.layout && from.dtype != DType::bf16 && to.dtype == from.dtype)
    a.implementation = prepare(from, to).impl_info_str();
  return withBytes(q, a);
}

std::unique_ptr<Step> build(const Site& site) {
  const Operand &x = site.inputs[0], &y = site.outputs[0];
  expectShape(y, x.shape);
  if (x.dtype != y.dtype || (x.dtype == DType::bf16 && x.layout != y.layout))
    return withElement(x, [&](auto from) {
      return withElement(y,
                         [&](auto to) { return converting<decltype(from), decltype(to)>(x, y); });
    });
  if (x.layout == y.layout) {
    const size_t bytes = layoutBytes(x);
    return makeStep([=](const RunContext& run) { std::memmove(y.at(run), x.at(run), bytes); });
  }
  const auto pd = prepare(x, y);
  return std::make_unique<PrimitiveStep>(
      dnnl::reorder(pd),
      std::vector<std::pair<int, const Operand*>>{{DNNL_ARG_FROM, &x}, {DNNL_ARG_TO, &y}},
      site.scratch, onednn::Desc());
}

}  // namespace

const Kernel kReorder = {choose, build};

}  // namespace lrscope
