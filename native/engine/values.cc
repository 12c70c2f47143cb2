#include "engine/values.h"

#include <algorithm>
#include <cmath>

#include "core/philox.h"

namespace lrscope {

void initialize(const Operand& operand, const Initializer& initializer, uint32_t seed,
                uint32_t ordinal) {
  auto* to = reinterpret_cast<float*>(operand.fixed);
  const LayoutMap map(operand.layout, operand.shape);
  std::fill(to, to + map.paddedElements(), 0.0f);
  Words4 words{};
  map.forEach([&](int64_t i, int64_t offset) {
    if (i % 4 == 0 && initializer.kind != Initializer::Kind::constant)
      words = philox({static_cast<uint32_t>(i / 4), ordinal, 0, 0}, seed, kInitialise);
    double value = initializer.first;
    if (initializer.kind == Initializer::Kind::uniform) {
      value = initializer.first + (initializer.second - initializer.first) * uniform(words[i % 4]);
    } else if (initializer.kind == Initializer::Kind::normal) {
      constexpr double kTwoPi = 6.283185307179586476925286766559;
      const uint32_t* pair = &words[i % 4 / 2 * 2];
      const double radius = std::sqrt(-2 * std::log((pair[0] + 1.0) / 4294967296.0));
      const double angle = kTwoPi * uniform(pair[1]);
      value = initializer.first * radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
    }
    to[offset] = static_cast<float>(value);
  });
}

void readValues(const Operand& operand, float* to) {
  withElement(operand, [&](auto element) {
    const auto* from = reinterpret_cast<const decltype(element)*>(operand.fixed);
    LayoutMap(operand.layout, operand.shape).forEach([&](int64_t i, int64_t offset) {
      to[i] = wide(from[offset]);
    });
  });
}

void writeValues(const Operand& operand, const float* from) {
  const LayoutMap map(operand.layout, operand.shape);
  withElement(operand, [&](auto element) {
    using T = decltype(element);
    auto* to = reinterpret_cast<T*>(operand.fixed);
    std::fill(to, to + map.paddedElements(), T{});
    map.forEach([&](int64_t i, int64_t offset) { to[offset] = narrow<T>(from[i]); });
  });
}

}  // namespace lrscope
