// Uses the TurboJPEG 2.x functions, which libjpeg-turbo 3 keeps.
#include "decode_jpeg.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <turbojpeg.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "decode_exif.h"

namespace lrscope {

namespace {

constexpr double kMostPixels = 100e6;
constexpr off_t kMostBytes = off_t{1} << 30;

DecodeOutcome broken(const std::string& reason) { return {DecodeStatus::kBroken, reason}; }

// Empty on success, else why not.
std::string readFile(const std::string& path, std::vector<uint8_t>& bytes) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return std::string("cannot be read: ") + std::strerror(errno);
  struct stat status;
  std::string reason;
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    reason = "not a regular file";
  } else if (status.st_size == 0) {
    reason = "empty file (0 bytes)";
  } else if (status.st_size > kMostBytes) {
    reason = "file above 1 GiB";
  } else {
    bytes.resize(static_cast<size_t>(status.st_size));
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t got = read(descriptor, bytes.data() + done, bytes.size() - done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) reason = std::string("cannot be read: ") + std::strerror(errno);
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    bytes.resize(done);
  }
  close(descriptor);
  return reason;
}

// The smallest DCT-domain reduction whose shorter side still has twice the pixels that are wanted,
// so that the triangle filter decides how the result looks.
tjscalingfactor reduction(int width, int height, int size) {
  for (int denominator : {8, 4, 2}) {
    const tjscalingfactor factor{1, denominator};
    if (std::min(TJSCALED(width, factor), TJSCALED(height, factor)) >= 2 * size) return factor;
  }
  return {1, 1};
}

// What libjpeg-turbo calls a warning, but leaves part of the picture undecoded.
bool meansDamage(const char* message) {
  return std::strstr(message, "remature end") || std::strstr(message, "bad Huffman code");
}

// A handle serves one file. After an error libjpeg-turbo leaves the file's markers and pointers in
// it, freed or not; and after a success its quantisation and Huffman tables, with which the next
// file that lacks some would be decoded.
class Handle {
 public:
  Handle() : handle_(tjInitDecompress()) {}
  ~Handle() {
    if (handle_) tjDestroy(handle_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  tjhandle get() const { return handle_; }

 private:
  tjhandle handle_;
};

}  // namespace

DecodeOutcome JpegDecoder::run(const std::string& path, uint8_t* target, int size, int channels) {
  const std::string unreadable = readFile(path, file_);
  if (!unreadable.empty()) return broken(unreadable);
  return decode(file_.data(), file_.size(), target, size, channels);
}

DecodeOutcome JpegDecoder::decode(const uint8_t* file, size_t bytes, uint8_t* target, int size,
                                  int channels) {
  if (bytes < 3 || file[0] != 0xff || file[1] != 0xd8 || file[2] != 0xff)
    return {DecodeStatus::kLeftToOthers, ""};
  const Handle owned;
  const tjhandle handle = owned.get();
  if (!handle) throw std::bad_alloc();

  int width = 0, height = 0, subsampling = 0, colours = 0;
  if (tjDecompressHeader3(handle, file, bytes, &width, &height, &subsampling, &colours) != 0)
    return {DecodeStatus::kLeftToOthers, ""};
  // Tables without an image are a success to libjpeg-turbo; and 0 pixels wide means to
  // tjDecompress2 that it may write as many as there are.
  if (width < 1 || height < 1) return {DecodeStatus::kLeftToOthers, ""};
  const double count = static_cast<double>(width) * height;
  if (count > kMostPixels) {
    char reason[128];
    std::snprintf(reason, sizeof reason, "%d x %d is %.0f megapixels; the limit is 100", width,
                  height, count / 1e6);
    return broken(reason);
  }
  if (colours == TJCS_CMYK || colours == TJCS_YCCK) return {DecodeStatus::kLeftToOthers, ""};

  const tjscalingfactor factor = reduction(width, height, size);
  const int w = TJSCALED(width, factor), h = TJSCALED(height, factor);
  const int decodedChannels = colours == TJCS_GRAY ? 1 : 3;
  pixels_.resize(static_cast<size_t>(w) * h * decodedChannels);
  if (tjDecompress2(handle, file, bytes, pixels_.data(), w, 0, h,
                    decodedChannels == 1 ? TJPF_GRAY : TJPF_RGB,
                    TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0) {
    const std::string message = tjGetErrorStr2(handle);
    if (meansDamage(message.c_str())) return broken("damaged or cut short: " + message);
    // Only the first warning is known here; another decoder judges what else there may be.
    return {DecodeStatus::kLeftToOthers, message};
  }
  resampler_.run({pixels_.data(), w, h, decodedChannels}, exifOrientation(file, bytes), target,
                 size, channels);
  // A single photo of 100 megapixels should not keep its memory for the rest of the set.
  if (pixels_.capacity() > (size_t{64} << 20)) std::vector<uint8_t>().swap(pixels_);
  return {DecodeStatus::kDecoded, ""};
}

}  // namespace lrscope
