// reorder: the same logical tensor in another layout, on oneDNN; or of another element type, and
// whatever has bf16, by loops of our own, as oneDNN's need a processor with AVX-512 for that.
#include <omp.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/kernels.h"
#include "kernels/tiles/tiles.h"

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
  int64_t extent(size_t d) const { return static_cast<int64_t>(of[d].size()); }
  // The dimension whose neighbours are nearest to each other, but for one; 4: none is excepted.
  size_t nearest(size_t except) const {
    size_t best = except == 0 ? 1 : 0;
    for (size_t d = best + 1; d < 4; ++d)
      if (d != except && step(d) < step(best)) best = d;
    return best;
  }
  int64_t step(size_t d) const {
    return extent(d) > 1 ? of[d][1] : std::numeric_limits<int64_t>::max();
  }
};

// A walk in tiles of what lies together in the one layout and in the other, so that each cache line
// of either is used whole while it is there.
constexpr int64_t kTile = 16;
struct Tiling {
  size_t rows, columns;          // columns: neighbours in `from`
  std::array<size_t, 2> others;  // the two dimensions left
  bool together;                 // whole tiles of columns are neighbours in `from`
  bool othersInside;             // they are nearer in `from` than the next tile of columns

  Tiling(const Places& from, const Places& to)
      : rows(to.nearest(from.nearest(4))),
        columns(from.nearest(4)),
        others{},
        together(true),
        othersInside(false) {
    size_t* next = others.data();
    for (size_t d = 0; d < 4; ++d)
      if (d != rows && d != columns) *next++ = d;
    const std::vector<int64_t>& offsets = from.of[columns];
    othersInside = from.extent(columns) > kTile && from.step(others[1]) < offsets[kTile];
    for (size_t i = 0; i < offsets.size(); ++i)
      together = together && offsets[i] == offsets[i - i % kTile] + static_cast<int64_t>(i % kTile);
  }
};

template <class From, class To>
void convertRow(const From* x, const int64_t* from, bool together, To* y, const int64_t* to,
                int64_t count) {
  if (!together || count < kTile) {
    for (int64_t i = 0; i < count; ++i) y[to[i]] = narrow<To>(wide(x[from[i] - from[0]]));
    return;
  }
  To row[kTile];
#pragma omp simd
  for (int64_t i = 0; i < kTile; ++i) row[i] = narrow<To>(wide(x[i]));
#pragma GCC unroll 16
  for (int64_t i = 0; i < kTile; ++i) y[to[i]] = row[i];
}

template <class From, class To>
void convert(const Places& from, const Places& to, const Tiling& tiling, const From* x, To* y) {
  const size_t u = tiling.others[0], v = tiling.others[1];
  const auto &fromRows = from.of[tiling.rows], &toRows = to.of[tiling.rows];
  const auto &fromColumns = from.of[tiling.columns], &toColumns = to.of[tiling.columns];
  const int64_t rows = from.extent(tiling.rows), columns = from.extent(tiling.columns);
  const int64_t outer = from.extent(u), inner = from.extent(v);
  const auto tile = [&](int64_t i, int64_t j, int64_t top, int64_t left) {
    const From* source = x + from.of[u][i] + from.of[v][j] + fromColumns[left];
    To* target = y + to.of[u][i] + to.of[v][j];
    for (int64_t r = top; r < std::min(top + kTile, rows); ++r)
      convertRow(source + fromRows[r], &fromColumns[left], tiling.together, target + toRows[r],
                 &toColumns[left], std::min(kTile, columns - left));
  };
  if (tiling.othersInside) {
#pragma omp parallel for collapse(2) schedule(static)
    for (int64_t left = 0; left < columns; left += kTile)
      for (int64_t top = 0; top < rows; top += kTile)
        for (int64_t i = 0; i < outer; ++i)
          for (int64_t j = 0; j < inner; ++j) tile(i, j, top, left);
    return;
  }
#pragma omp parallel for collapse(3) schedule(static)
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t j = 0; j < inner; ++j)
      for (int64_t top = 0; top < rows; top += kTile)
        for (int64_t left = 0; left < columns; left += kTile) tile(i, j, top, left);
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
  if (std::unique_ptr<Step> woven = tiles::makeWeave(x, y)) return woven;
  const bool padded = elements > y.elements();
  const Places from(x), to(y);
  return makeStep([=, tiling = Tiling(from, to)](const RunContext& run) {
    if (padded) std::memset(y.at(run), 0, elements * sizeof(To));
    convert(from, to, tiling, x.data<From>(run), y.data<To>(run));
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
