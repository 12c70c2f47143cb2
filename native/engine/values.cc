#include "engine/values.h"

#include <algorithm>
#include <cmath>

#include "core/for_each.h"
#include "core/philox.h"

namespace lrscope {

namespace {

// Elements that a thread takes at a time: a multiple of the four that a counter is drawn for.
constexpr int64_t kPiece = int64_t{1} << 18;

struct Nothing {};

// Calls visit(logicalIndex, offset) for every element, those of a piece in order, by a copy of
// `visit`.
template <class Visit>
void forEachElement(const LayoutMap& map, int threads, Visit visit) {
  const int64_t elements = map.elements();
  const LayoutOffsets offsets(map);
  forEach<Nothing>((elements + kPiece - 1) / kPiece, threads, [&](Nothing&, size_t piece) {
    const int64_t begin = static_cast<int64_t>(piece) * kPiece;
    offsets.forEach(begin, std::min(elements, begin + kPiece), visit);
  });
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

}  // namespace

void initialize(const Operand& operand, const Initializer& initializer, Draw draw, int threads) {
  auto* to = reinterpret_cast<float*>(operand.fixed);
  const LayoutMap map(operand.layout, operand.shape);
  clearPadding(map, to);
  if (initializer.kind == Initializer::Kind::constant) {
    const auto value = static_cast<float>(initializer.first);
    forEachElement(map, threads, [=](int64_t, int64_t offset) { to[offset] = value; });
    return;
  }
  const auto draws = [=, four = std::array<float, 4>{}](int64_t i, int64_t offset) mutable {
    if (i % 4 == 0)
      four = drawFour(initializer, philox({static_cast<uint32_t>(i / 4), draw.ordinal, 0, 0},
                                          draw.seed, kInitialise));
    to[offset] = four[i % 4];
  };
  forEachElement(map, threads, draws);
}

void readValues(const Operand& operand, float* to, int threads) {
  withElement(operand, [&](auto element) {
    const auto* from = reinterpret_cast<const decltype(element)*>(operand.fixed);
    forEachElement(LayoutMap(operand.layout, operand.shape), threads,
                   [=](int64_t i, int64_t offset) { to[i] = wide(from[offset]); });
  });
}

void writeValues(const Operand& operand, const float* from, int threads) {
  const LayoutMap map(operand.layout, operand.shape);
  withElement(operand, [&](auto element) {
    using T = decltype(element);
    auto* to = reinterpret_cast<T*>(operand.fixed);
    clearPadding(map, to);
    forEachElement(map, threads,
                   [=](int64_t i, int64_t offset) { to[offset] = narrow<T>(from[i]); });
  });
}

}  // namespace lrscope
