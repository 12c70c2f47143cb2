// One JPEG file to the working shape.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "images/decode_resample.h"

namespace lrscope {

// kFailed: what went wrong is no fact of the file's bytes (no memory, no descriptor, a bad disk),
// and may go right another time.
enum class DecodeStatus : uint8_t { kDecoded = 0, kBroken = 1, kLeftToOthers = 2, kFailed = 3 };

struct DecodeOutcome {
  DecodeStatus status;
  std::string reason;
};

// One a thread: it keeps buffers from file to file, and nothing else, so that what a file decodes
// to never depends on the files before it.
class JpegDecoder {
 public:
  // Reads the file and decodes it.
  DecodeOutcome run(const std::string& path, uint8_t* target, int size, int channels);
  // `target` has room for (size, size, channels) u8, and is written only where the outcome is
  // kDecoded.
  DecodeOutcome decode(const uint8_t* file, size_t bytes, uint8_t* target, int size, int channels);

 private:
  std::vector<uint8_t> file_;
  std::vector<uint8_t> pixels_;
  Resampler resampler_;
};

}  // namespace lrscope
