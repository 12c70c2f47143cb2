#include "engine/values.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/for_each.h"
#include "core/philox.h"

namespace lrscope {

namespace {

// Elements that a thread takes at a time.
constexpr int64_t kPiece = int64_t{1} << 18;
// Rows that are walked together where memory has them together: two cache lines of floats.
constexpr int64_t kRows = 32;

struct Nothing {};

// Calls work(begin, end) for pieces of [from, to).
template <class Work>
void forEachPiece(Range range, int64_t length, int threads, Work work) {
  const int64_t pieces = (range.to - range.from + length - 1) / length;
  forEach<Nothing>(static_cast<size_t>(std::max<int64_t>(0, pieces)), threads,
                   [&](Nothing&, size_t piece) {
                     const int64_t begin = range.from + static_cast<int64_t>(piece) * length;
                     work(begin, std::min(range.to, begin + length));
                   });
}

// Calls visit(logicalIndex, offset) for every element of the range, in no order.
template <class Visit>
void forEachElement(const LayoutOffsets& offsets, Range range, int threads, Visit visit) {
  const int64_t columns = offsets.columns();
  const auto inOrder = [&](Range part) {
    forEachPiece(part, kPiece, threads,
                 [&](int64_t begin, int64_t end) { offsets.forEach(begin, end, visit); });
  };
  const int64_t first = (range.from + columns - 1) / columns, end = range.to / columns;
  if (!offsets.isByColumn() || end <= first) return inOrder(range);
  inOrder({range.from, first * columns});
  for (int64_t row = first; row < end; row += kRows)
    forEachPiece({0, columns}, kPiece / kRows, threads, [&](int64_t from, int64_t to) {
      offsets.forEachOfColumns(row, std::min(end, row + kRows), from, to, visit);
    });
  inOrder({end * columns, range.to});
}

// Of a tensor that is written whole, so that its padding is all that is left.
template <class T>
void clearPadding(const LayoutMap& map, T* to) {
  if (map.paddedElements() != map.elements()) std::fill(to, to + map.paddedElements(), T{});
}

// The values of four elements, from the words of one counter.
std::array<float, 4> drawFour(const Initializer& initializer, const Words4& words) {
  std::array<float, 4> four{};
  const double first = initializer.first;
  if (initializer.kind == Initializer::Kind::uniform) {
    for (int k = 0; k < 4; ++k)
      four[k] = static_cast<float>(first + (initializer.second - first) * uniform(words[k]));
    return four;
  }
  constexpr double kTwoPi = 6.283185307179586476925286766559;
  for (int k = 0; k < 4; k += 2) {
    const double radius = std::sqrt(-2 * std::log((words[k] + 1.0) / 4294967296.0));
    const double angle = kTwoPi * uniform(words[k + 1]);
    four[k] = static_cast<float>(first * radius * std::cos(angle));
    four[k + 1] = static_cast<float>(first * radius * std::sin(angle));
  }
  return four;
}

// Elements that are drawn at a time: whole rows where they are short enough, so that they can be
// stored as memory has them.
int64_t stripeOf(const LayoutOffsets& offsets) {
  constexpr int64_t kMost = int64_t{1} << 22;
  const int64_t rows = kMost / offsets.columns();
  return rows >= kRows ? rows / kRows * kRows * offsets.columns()
                       : std::max<int64_t>(1, rows) * std::min(kMost, offsets.columns());
}

void store(float* to, const LayoutOffsets& offsets, Range range, const float* from, int threads) {
  forEachElement(offsets, range, threads,
                 [=](int64_t i, int64_t offset) { to[offset] = from[i - range.from]; });
}

}  // namespace

void initialize(const Operand& operand, const Initializer& initializer, Draw draw, int threads) {
  auto* to = reinterpret_cast<float*>(operand.fixed);
  const LayoutMap map(operand.layout, operand.shape);
  clearPadding(map, to);
  const LayoutOffsets offsets(map);
  const int64_t elements = map.elements(), stripe = stripeOf(offsets);
  std::vector<float> drawn(std::min(elements, stripe), static_cast<float>(initializer.first));
  for (int64_t from = 0; from < elements; from += stripe) {
    const Range range = {from, std::min(elements, from + stripe)};
    if (initializer.kind != Initializer::Kind::constant)
      forEachPiece(range, kPiece, threads, [&](int64_t begin, int64_t end) {
        std::array<float, 4> four{};
        for (int64_t i = begin; i < end; ++i) {
          if (i == begin || i % 4 == 0)
            four = drawFour(initializer, philox({static_cast<uint32_t>(i / 4), draw.ordinal, 0, 0},
                                                draw.seed, kInitialise));
          drawn[i - from] = four[i % 4];
        }
      });
    store(to, offsets, range, drawn.data(), threads);
  }
}

void readValues(const Operand& operand, Range range, float* to, int threads) {
  const LayoutOffsets offsets(LayoutMap(operand.layout, operand.shape));
  withElement(operand, [&](auto element) {
    const auto* from = reinterpret_cast<const decltype(element)*>(operand.fixed);
    forEachElement(offsets, range, threads,
                   [=](int64_t i, int64_t offset) { to[i - range.from] = wide(from[offset]); });
  });
}

void writeValues(const Operand& operand, const float* from, int threads) {
  const LayoutMap map(operand.layout, operand.shape);
  const LayoutOffsets offsets(map);
  withElement(operand, [&](auto element) {
    using T = decltype(element);
    auto* to = reinterpret_cast<T*>(operand.fixed);
    clearPadding(map, to);
    forEachElement(offsets, {0, map.elements()}, threads,
                   [=](int64_t i, int64_t offset) { to[offset] = narrow<T>(from[i]); });
  });
}

}  // namespace lrscope
