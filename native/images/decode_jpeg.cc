// Uses the TurboJPEG 2.x functions, which libjpeg-turbo 3 keeps.
#include "images/decode_jpeg.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <turbojpeg.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "images/decode_exif.h"

namespace lrscope {

namespace {

constexpr double kMostPixels = 100e6;
constexpr off_t kMostBytes = off_t{1} << 30;

DecodeOutcome broken(const std::string& reason) { return {DecodeStatus::kBroken, reason}; }

DecodeOutcome failed(const std::string& reason) { return {DecodeStatus::kFailed, reason}; }

DecodeOutcome unreadable(int code) {
  return failed(std::string("cannot be read: ") + std::strerror(code));
}

// kDecoded where `bytes` holds the file, whole.
DecodeOutcome readFile(const std::string& path, std::vector<uint8_t>& bytes) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return unreadable(errno);
  struct Closed {
    int descriptor;
    ~Closed() { close(descriptor); }
  } const closed{descriptor};
  struct stat status;
  if (fstat(descriptor, &status) != 0) return unreadable(errno);
  if (!S_ISREG(status.st_mode)) return broken("not a regular file");
  if (status.st_size == 0) return broken("empty file (0 bytes)");
  if (status.st_size > kMostBytes) return broken("file above 1 GiB");
  bytes.resize(static_cast<size_t>(status.st_size));
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t got = read(descriptor, bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(errno);
    if (got == 0) return failed("cannot be read: it became shorter meanwhile");
    done += static_cast<size_t>(got);
  }
  return {DecodeStatus::kDecoded, ""};
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

// What an error of libjpeg-turbo means, or a warning, of which only the first is known here. Behind
// the header, some warnings leave part of the picture undecoded; what else there may be, another
// decoder judges.
DecodeOutcome judge(const std::string& message, bool header) {
  const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
  if (says("nsufficient memory") || says("emory allocation"))
    return failed("not enough memory to decode it: " + message);
  if (!header && (says("remature end") || says("bad Huffman code")))
    return broken("damaged or cut short: " + message);
  return {DecodeStatus::kLeftToOthers, message};
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
  const DecodeOutcome outcome = readFile(path, file_);
  if (outcome.status != DecodeStatus::kDecoded) return outcome;
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
    return judge(tjGetErrorStr2(handle), true);
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
                    TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) != 0)
    return judge(tjGetErrorStr2(handle), false);
  resampler_.run({pixels_.data(), w, h, decodedChannels, factor.denom, width, height},
                 exifOrientation(file, bytes), target, size, channels);
  // A single photo of 100 megapixels should not keep its memory for the rest of the set.
  if (pixels_.capacity() > (size_t{64} << 20)) std::vector<uint8_t>().swap(pixels_);
  return {DecodeStatus::kDecoded, ""};
}

}  // namespace lrscope
