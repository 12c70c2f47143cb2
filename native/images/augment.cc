#include "images/augment.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/philox.h"

#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

namespace lrscope {

Draws drawAugmentation(Augmentation kind, uint32_t seed, uint32_t epoch, uint32_t image) {
  Draws draws;
  if (kind == Augmentation::kNone) return draws;
  const Words4 first = philox({0, epoch, image, 0}, seed, kAugmentation);
  constexpr double kPi = 3.14159265358979323846;
  draws.angle = (2 * uniform(first[1]) - 1) * 15 * kPi / 180;
  if (kind == Augmentation::kDigits) return draws;

  const Words4 second = philox({1, epoch, image, 0}, seed, kAugmentation);
  draws.flip = uniform(first[0]) < 0.5;
  const double area = 0.7 + 0.3 * uniform(first[2]);
  const double low = std::log(std::max(3.0 / 4, area)),
               high = std::log(std::min(4.0 / 3, 1 / area));
  const double aspect = std::exp(low + (high - low) * uniform(first[3]));
  draws.width = std::min(1.0, std::sqrt(area * aspect));
  draws.height = std::min(1.0, std::sqrt(area / aspect));
  draws.left = (1 - draws.width) * uniform(second[0]);
  draws.top = (1 - draws.height) * uniform(second[1]);
  draws.brightness = 0.9 + 0.2 * uniform(second[2]);
  draws.contrast = 0.9 + 0.2 * uniform(second[3]);
  return draws;
}

AffineMap affineMapOf(const Draws& draws, int size) {
  // Undo the flip and the crop: output u -> x = sx u + tx, and v -> y = sy v + ty.
  const double sx = draws.flip ? -draws.width : draws.width;
  const double tx = (draws.flip ? draws.left + draws.width : draws.left) * size;
  const double sy = draws.height, ty = draws.top * size;
  // Undo the rotation about the centre.
  const double cosine = std::cos(draws.angle), sine = std::sin(draws.angle), centre = size / 2.0;
  return {cosine * sx, -sine * sy,  centre + cosine * (tx - centre) - sine * (ty - centre),
          sine * sx,   cosine * sy, centre + sine * (tx - centre) + cosine * (ty - centre)};
}

Warper::Warper(int size, int channels)
    : size_(size),
      channels_(channels),
      x0_(size),
      x1_(size),
      y0_(size),
      y1_(size),
      fx_(size),
      fy_(size),
      planes_(static_cast<size_t>(size) * channels) {}

namespace {

// Mirror about the edges: ..., 1, 0 | 0, 1, ..., n-1 | n-1, n-2, ...
inline int reflect(int i, int n) {
  i = i < 0 ? -1 - i : i;
  i = i >= n ? 2 * n - 1 - i : i;
  return std::min(std::max(i, 0), n - 1);
}

// One axis of the sampling positions along a row: position = start + step * x.
void positions(double start, double step, int n, int stride, int* __restrict low,
               int* __restrict high, float* __restrict fraction) {
  const double least = -n, most = 2.0 * n - 2;  // as far as one reflection reaches
  for (int x = 0; x < n; ++x) {
    const double at = std::min(std::max(start + step * x, least), most);
    int whole = static_cast<int>(at);
    whole -= at < whole;  // floor
    fraction[x] = static_cast<float>(at - whole);
    low[x] = reflect(whole, n) * stride;
    high[x] = reflect(whole + 1, n) * stride;
  }
}

}  // namespace

namespace {

// Four floats in one register; x86 and ARM alike.
typedef float Float4 __attribute__((vector_size(16)));
typedef uint8_t Byte4 __attribute__((vector_size(4)));

// Three channels and the byte behind them, which is there (see Warper::row) and is dropped later.
inline Float4 load(const uint8_t* pixel) {
#ifdef __SSE4_1__
  int32_t word;  // GCC 12 converts lane by lane what has one instruction
  std::memcpy(&word, pixel, sizeof word);
  return static_cast<Float4>(_mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(word))));
#else
  Byte4 bytes;
  std::memcpy(&bytes, pixel, sizeof bytes);
  return __builtin_convertvector(bytes, Float4);
#endif
}

}  // namespace

void Warper::sampleColour(const uint8_t* pixels) {
  const int n = size_;
  float* red = planes_.data();
  float* green = red + n;
  float* blue = green + n;
  for (int x = 0; x < n; ++x) {
    const uint8_t* upperRow = pixels + y0_[x];
    const uint8_t* lowerRow = pixels + y1_[x];
    const Float4 v00 = load(upperRow + x0_[x]), v01 = load(upperRow + x1_[x]);
    const Float4 v10 = load(lowerRow + x0_[x]), v11 = load(lowerRow + x1_[x]);
    const Float4 upper = v00 + fx_[x] * (v01 - v00);
    const Float4 lower = v10 + fx_[x] * (v11 - v10);
    const Float4 value = upper + fy_[x] * (lower - upper);
    red[x] = value[0];
    green[x] = value[1];
    blue[x] = value[2];
  }
}

void Warper::sampleGray(const uint8_t* pixels) {
  for (int x = 0; x < size_; ++x) {
    const uint8_t* upperRow = pixels + y0_[x];
    const uint8_t* lowerRow = pixels + y1_[x];
    const float v00 = upperRow[x0_[x]], v01 = upperRow[x1_[x]];
    const float v10 = lowerRow[x0_[x]], v11 = lowerRow[x1_[x]];
    const float upper = v00 + fx_[x] * (v01 - v00);
    const float lower = v10 + fx_[x] * (v11 - v10);
    planes_[x] = upper + fy_[x] * (lower - upper);
  }
}

const float* Warper::row(const uint8_t* pixels, const AffineMap& m, int y) {
  const double v = y + 0.5;
  positions(m[0] * 0.5 + m[1] * v + m[2] - 0.5, m[0], size_, channels_, x0_.data(), x1_.data(),
            fx_.data());
  positions(m[3] * 0.5 + m[4] * v + m[5] - 0.5, m[3], size_, size_ * channels_, y0_.data(),
            y1_.data(), fy_.data());
  if (channels_ == 3)
    sampleColour(pixels);
  else
    sampleGray(pixels);
  return planes_.data();
}

Normaliser::Normaliser(const std::vector<double>& mean, const std::vector<double>& std)
    : mean_(mean) {
  for (size_t c = 0; c < mean.size(); ++c) {
    for (int value = 0; value < 256; ++value)
      table_.push_back(static_cast<float>((value / 255.0 - mean[c]) / std[c]));
    scale_.push_back(static_cast<float>(1 / (255 * std[c])));
    shift_.push_back(static_cast<float>(-mean[c] / std[c]));
  }
}

void Normaliser::plain(const uint8_t* pixels, size_t pixelCount, float* image) const {
  const size_t channels = scale_.size();
  for (size_t c = 0; c < channels; ++c) {
    const float* table = table_.data() + 256 * c;
    float* plane = image + c * pixelCount;
    for (size_t p = 0; p < pixelCount; ++p) plane[p] = table[pixels[p * channels + c]];
  }
}

void Normaliser::colour(const Draws& draws, int channel, float& gain, float& offset) const {
  gain = static_cast<float>(draws.brightness * draws.contrast);
  offset = static_cast<float>(draws.brightness * (1 - draws.contrast) * 255 * mean_[channel]);
}

void Normaliser::row(const float* planes, int size, const Draws& draws, float* out,
                     size_t plane) const {
  for (int c = 0; c < channels(); ++c) {
    float gain, offset;
    colour(draws, c, gain, offset);
    const float scale = scale_[c], shift = shift_[c];
    const float* __restrict from = planes + static_cast<size_t>(c) * size;
    float* __restrict to = out + c * plane;
    for (int x = 0; x < size; ++x)
      to[x] = std::min(std::max(from[x] * gain + offset, 0.0f), 255.0f) * scale + shift;
  }
}

void Normaliser::bytes(const float* planes, int size, const Draws& draws, uint8_t* out) const {
  for (int c = 0; c < channels(); ++c) {
    float gain, offset;
    colour(draws, c, gain, offset);
    for (int x = 0; x < size; ++x)
      out[x * channels() + c] = static_cast<uint8_t>(
          std::min(std::max(planes[static_cast<size_t>(c) * size + x] * gain + offset, 0.0f),
                   255.0f) +
          0.5f);
  }
}

}  // namespace lrscope
