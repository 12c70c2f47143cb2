// From a decoded image of any size to the square that the network sees.
#pragma once
#include <cstdint>
#include <vector>

namespace lrscope {

// Samples along one side of an image, each the mean of `reduction` pixels, but that the last may
// stand for fewer: a decoder that scales rounds up.
struct Side {
  int samples;
  int pixels;
  int reduction;
  // The side's length, a whole sample being 1.
  double extent() const { return static_cast<double>(pixels) / reduction; }
};

struct RawView {
  const uint8_t* pixels;  // (height, width, channels), no padding
  int width;
  int height;
  int channels;  // 1 or 3
  // Of an image that was decoded at 1 / reduction of its size: what it measures in full.
  int reduction = 1;
  int fullWidth = 0;
  int fullHeight = 0;
  Side x() const { return {width, reduction == 1 ? width : fullWidth, reduction}; }
  Side y() const { return {height, reduction == 1 ? height : fullHeight, reduction}; }
};

// Shorter side to `size` with a triangle filter that widens with the reduction (antialiasing),
// centre crop to (size, size), orientation (EXIF 1 .. 8) and channel count. The longer side becomes
// floor(size * longer / shorter), the crop begins at floor((longer' - size) / 2) of the upright
// image: torchvision's Resize and CenterCrop. Between 3 and 1 channels: luma of ITU-R BT.601, or
// repetition.
class Resampler {
 public:
  void run(const RawView& source, int orientation, uint8_t* target, int size, int channels);

 private:
  struct Axis {
    std::vector<int> first;      // first tap of each output
    std::vector<int> count;      // taps of each output
    std::vector<float> weights;  // `stride` for each output
    int stride = 0;
    int low = 0;  // source range that any output needs
    int high = 0;
    bool copies = false;  // every output is one source sample, in order from `offset` on
    int offset = 0;
  };
  static void setTaps(Axis& axis, const Side& side, int shorter, int size, bool mirrored);
  void resize(const RawView& source, int size);

  Axis x_, y_;
  std::vector<float> row_;
  std::vector<uint8_t> square_;  // (size, size, source channels), orientation as stored
};

}  // namespace lrscope
