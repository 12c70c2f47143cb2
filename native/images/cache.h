// A mapped file of decoded images: processes that open the same file share its pages.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lrscope {

class ImageCache {
 public:
  // `count` images of (size, size, channels) u8 from byte `offset` on.
  // Something must follow them, so that a pixel can be read as four bytes.
  // Throws Refusal when the file cannot be mapped or is too short.
  ImageCache(const std::string& file, size_t offset, size_t count, int size, int channels);
  ~ImageCache();
  ImageCache(const ImageCache&) = delete;
  ImageCache& operator=(const ImageCache&) = delete;

  const uint8_t* image(size_t index) const { return pixels_ + index * imageBytes(); }
  size_t imageBytes() const { return static_cast<size_t>(size_) * size_ * channels_; }
  size_t count() const { return count_; }
  int size() const { return size_; }
  int channels() const { return channels_; }

  // Bytes of the file from `at` on, as it is on the disk: unlike the mapping, whose reader dies of
  // a bad sector, this returns false where they cannot be had.
  bool read(size_t at, uint8_t* into, size_t length) const;
  // Byte of the file at which the images begin.
  size_t offset() const { return offset_; }

 private:
  int descriptor_ = -1;
  void* mapping_ = nullptr;
  size_t mapped_ = 0;
  const uint8_t* pixels_ = nullptr;
  size_t offset_;
  size_t count_;
  int size_;
  int channels_;
};

// Number of the first block of the images that cannot be read or whose CRC-32C is not the one
// given; -1: none. Blocks have `blockBytes` bytes, the last one what is left; `checksums` are those
// of the blocks from `first` on.
int64_t damagedBlock(const ImageCache& cache, const std::vector<uint32_t>& checksums, size_t first,
                     size_t blockBytes, int threads);

struct PixelStatistics {
  std::vector<double> mean;  // of pixel / 255, per channel
  std::vector<double> std;   // population: divided by n; 1 for a channel that is constant
};

// Sums are integers, hence the same for any number of threads.
PixelStatistics pixelStatistics(const ImageCache& cache, const std::vector<int32_t>& indices,
                                int threads);

}  // namespace lrscope
