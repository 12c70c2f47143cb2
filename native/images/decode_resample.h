// From a decoded image of any size to the square that the network sees.
#pragma once
#include <cstdint>
#include <vector>

namespace lrscope {

struct RawView {
  const uint8_t* pixels;  // (height, width, channels), no padding
  int width;
  int height;
  int channels;  // 1 or 3
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
  static void setTaps(Axis& axis, int length, int shorter, int size, bool mirrored);
  void resize(const RawView& source, int size);

  Axis x_, y_;
  std::vector<float> row_;
  std::vector<uint8_t> square_;  // (size, size, source channels), orientation as stored
};

}  // namespace lrscope
