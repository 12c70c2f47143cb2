#include "images/synthetic.h"

#include <algorithm>
#include <cmath>

#include "core/philox.h"

namespace lrscope {

namespace {

// Of a disc, square, ring or bars with half-extent r about the origin.
bool inside(int label, double x, double y, double r) {
  const double distance = std::sqrt(x * x + y * y);
  switch (label) {
    case 0:
      return distance < r;
    case 1:
      return std::max(std::abs(x), std::abs(y)) < r * 0.85;
    case 2:
      return distance < r && distance > r * 0.6;
    default:
      return std::max(std::abs(x), std::abs(y)) < r && std::fmod(x + r, r * 0.8) < r * 0.4;
  }
}

}  // namespace

void synthesise(uint8_t* pixels, int size, int label, uint32_t image, uint32_t seed) {
  // A class leans towards a colour, without being given away by it.
  static constexpr double kColour[kSyntheticClasses][3] = {
      {205, 90, 80}, {85, 190, 95}, {90, 110, 210}, {200, 190, 80}};
  const Words4 place = philox({0, image, 0, 0}, seed, kSynthetic);
  const Words4 shade = philox({1, image, 0, 0}, seed, kSynthetic);
  const double cx = 0.35 + 0.3 * uniform(place[0]), cy = 0.35 + 0.3 * uniform(place[1]);
  const double radius = 0.2 + 0.15 * uniform(place[2]), ground = 50 + 90 * uniform(place[3]);
  double colour[3];
  for (int c = 0; c < 3; ++c) colour[c] = kColour[label][c] + 90 * (uniform(shade[c]) - 0.5);

  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const Words4 noise =
          philox({2 + static_cast<uint32_t>(y * size + x), image, 0, 0}, seed, kSynthetic);
      const bool shape = inside(label, (x + 0.5) / size - cx, (y + 0.5) / size - cy, radius);
      for (int c = 0; c < 3; ++c) {
        const double value = (shape ? colour[c] : ground) + 40 * (uniform(noise[c]) - 0.5);
        pixels[(static_cast<int64_t>(y) * size + x) * 3 + c] =
            static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
      }
    }
}

}  // namespace lrscope
