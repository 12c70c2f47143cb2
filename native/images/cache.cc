#include "images/cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <limits>
#include <mutex>

#include "core/for_each.h"
#include "core/refusal.h"
#include "images/crc32c.h"

namespace lrscope {

ImageCache::ImageCache(const std::string& file, size_t offset, size_t count, int size, int channels)
    : offset_(offset), count_(count), size_(size), channels_(channels) {
  // Without waiting: a FIFO would hold up whoever opens it.
  descriptor_ = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) throw SystemRefusal(file, errno);
  struct stat status;
  const bool known = fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  mapped_ = known ? static_cast<size_t>(status.st_size) : 0;
  if (offset > mapped_ || mapped_ - offset <= count * imageBytes()) {
    close(descriptor_);
    throw Refusal(file + ": shorter than its header says");
  }
  mapping_ = mmap(nullptr, mapped_, PROT_READ, MAP_SHARED, descriptor_, 0);
  if (mapping_ == MAP_FAILED) {
    const SystemRefusal refusal(file + ": cannot be mapped", errno);
    close(descriptor_);
    throw refusal;
  }
  pixels_ = static_cast<const uint8_t*>(mapping_) + offset;
}

ImageCache::~ImageCache() {
  munmap(mapping_, mapped_);
  close(descriptor_);
}

bool ImageCache::read(size_t at, uint8_t* into, size_t length) const {
  while (length > 0) {
    const ssize_t got = pread(descriptor_, into, length, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += static_cast<size_t>(got);
    into += got;
    length -= static_cast<size_t>(got);
  }
  return true;
}

namespace {

// Sums of one image's pixels and of their squares, by channel. A block of 48 bytes is a multiple of
// a vector and of 1 and 3 channels, so that lane l always belongs to channel l % channels.
void addImage(const uint8_t* pixels, size_t bytes, int channels, std::array<uint64_t, 3>& sum,
              std::array<uint64_t, 3>& squares) {
  constexpr size_t kLanes = 48;
  constexpr size_t kBlocks = 4096;  // 4096 * 255^2 < 2^32
  size_t at = 0;
  while (at + kLanes <= bytes) {
    uint32_t s[kLanes] = {}, q[kLanes] = {};
    const size_t end = std::min(bytes / kLanes * kLanes, at + kLanes * kBlocks);
    for (; at < end; at += kLanes)
      for (size_t l = 0; l < kLanes; ++l) {
        const uint32_t value = pixels[at + l];
        s[l] += value;
        q[l] += value * value;
      }
    for (size_t l = 0; l < kLanes; ++l) {
      sum[l % channels] += s[l];
      squares[l % channels] += q[l];
    }
  }
  for (; at < bytes; ++at) {
    const uint64_t value = pixels[at];
    sum[at % channels] += value;
    squares[at % channels] += value * value;
  }
}

}  // namespace

int64_t damagedBlock(const ImageCache& cache, const std::vector<uint32_t>& checksums, size_t first,
                     size_t blockBytes, int threads) {
  // Read in pieces that stay in a core's own cache until they are summed.
  constexpr size_t kPiece = size_t{1} << 17;
  const size_t total = cache.count() * cache.imageBytes();
  constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> damaged{kNone};
  forEach<std::vector<uint8_t>>(
      checksums.size(), threads, [&](std::vector<uint8_t>& buffer, size_t i) {
        const auto block = static_cast<int64_t>(first + i);
        if (block > damaged) return;
        buffer.resize(kPiece);
        size_t at = std::min(total, (first + i) * blockBytes);
        const size_t end = at + std::min(blockBytes, total - at);
        uint32_t sum = 0;
        bool readable = true;
        while (readable && at < end) {
          const size_t length = std::min(kPiece, end - at);
          readable = cache.read(cache.offset() + at, buffer.data(), length);
          if (readable) sum = crc32c(buffer.data(), length, sum);
          at += length;
        }
        if (readable && sum == checksums[i]) return;
        // Another thread may have found an earlier one.
        for (int64_t seen = damaged; block < seen && !damaged.compare_exchange_weak(seen, block);) {
        }
      });
  return damaged == kNone ? -1 : damaged.load();
}

PixelStatistics pixelStatistics(const ImageCache& cache, const std::vector<int32_t>& indices,
                                int threads) {
  std::mutex guard;
  std::array<uint64_t, 3> sum{}, squares{};
  struct Nothing {};
  forEach<Nothing>(indices.size(), threads, [&](Nothing&, size_t i) {
    std::array<uint64_t, 3> s{}, q{};
    addImage(cache.image(static_cast<size_t>(indices[i])), cache.imageBytes(), cache.channels(), s,
             q);
    const std::lock_guard<std::mutex> lock(guard);
    for (int c = 0; c < 3; ++c) {
      sum[c] += s[c];
      squares[c] += q[c];
    }
  });
  const double n = static_cast<double>(indices.size()) * cache.size() * cache.size();
  PixelStatistics result;
  for (int c = 0; c < cache.channels(); ++c) {
    result.mean.push_back(static_cast<double>(sum[c]) / n / 255);
    // n * squares - sum^2 in integers: no cancellation.
    const auto count = static_cast<unsigned __int128>(indices.size()) * cache.size() * cache.size();
    const unsigned __int128 scaled =
        count * squares[c] - static_cast<unsigned __int128>(sum[c]) * sum[c];
    result.std.push_back(scaled == 0 ? 1 : std::sqrt(static_cast<double>(scaled)) / n / 255);
  }
  return result;
}

}  // namespace lrscope
