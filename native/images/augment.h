// Augmentation of one image: what is drawn, the affine map that it makes, and the warp.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lrscope {

enum class Augmentation { kNone, kDigits, kPhotos };

// Rows of [a b c; d e f]: output (x, y) shows the source at (a x + b y + c, d x + e y + f), pixels
// being unit squares with centres at .5.
using AffineMap = std::array<double, 6>;

// What chance decides about one image. Fields at their neutral values change nothing.
struct Draws {
  bool flip = false;
  double angle = 0;              // radians, content turns counter-clockwise
  double width = 1, height = 1;  // of the crop, as parts of the image
  double left = 0, top = 0;      // its corner, likewise
  double brightness = 1;         // factor on every value
  double contrast = 1;           // factor on the distance from the training set's mean
};

// Pure function of (kind, seed, epoch, image): Philox key (seed, augmentation), counter
// (draw, epoch, image, 0). Draw 0: flip (p 0.5), angle (+-15 degrees), area (0.7 - 1), aspect
// (log-uniform in 3/4 - 4/3, narrowed to where a crop of that area fits the image). Draw 1: place
// of the crop (x, y), brightness and contrast (0.9 - 1.1 each). Digits take the angle only.
Draws drawAugmentation(Augmentation kind, uint32_t seed, uint32_t epoch, uint32_t image);

// Rotation about the centre, then crop, then flip, as one map from output to source.
AffineMap affineMapOf(const Draws& draws, int size);

// Bilinear samples of an image, and what is done with each row of them.
class Warper {
 public:
  Warper(int size, int channels);

  // Row y of the warped image, one plane of `size` floats a channel, values in [0, 255].
  // Outside the image its mirror image is seen. One byte behind the image must be readable, as
  // ImageCache makes sure.
  const float* row(const uint8_t* pixels, const AffineMap& map, int y);

 private:
  void sampleColour(const uint8_t* pixels);
  void sampleGray(const uint8_t* pixels);

  int size_;
  int channels_;
  std::vector<int> x0_, x1_, y0_, y1_;  // byte offsets of the taps
  std::vector<float> fx_, fy_;          // their fractions
  std::vector<float> planes_;
};

// (x / 255 - mean) / std, for interleaved bytes and for warped rows.
class Normaliser {
 public:
  Normaliser(const std::vector<double>& mean, const std::vector<double>& std);

  // (pixelCount, channels) u8 to `channels` planes of pixelCount; the f64 formula rounded once.
  void plain(const uint8_t* pixels, size_t pixelCount, float* image) const;

  // One row of planes (stride `size`) after the colour transform, to rows `plane` floats apart.
  void row(const float* planes, int size, const Draws& draws, float* out, size_t plane) const;

  // The same row as 8-bit interleaved values.
  void bytes(const float* planes, int size, const Draws& draws, uint8_t* out) const;

  int channels() const { return static_cast<int>(scale_.size()); }

 private:
  // v -> clamp(v * gain + offset, 0, 255)
  void colour(const Draws& draws, int channel, float& gain, float& offset) const;

  std::vector<float> table_;          // 256 values a channel
  std::vector<float> scale_, shift_;  // x * scale + shift
  std::vector<double> mean_;
};

}  // namespace lrscope
