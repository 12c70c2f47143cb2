// One JPEG file to the working shape.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "decode_resample.h"

namespace lrscope {

enum class DecodeStatus : uint8_t { kDecoded = 0, kBroken = 1, kLeftToOthers = 2 };

struct DecodeOutcome {
  DecodeStatus status;
  std::string reason;
};

// One a thread: it keeps libjpeg-turbo's state and the buffers from file to file.
class JpegDecoder {
 public:
  JpegDecoder();
  ~JpegDecoder();
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  DecodeOutcome run(const std::string& path, uint8_t* target, int size, int channels);

 private:
  void* handle_;
  std::vector<uint8_t> file_;
  std::vector<uint8_t> pixels_;
  Resampler resampler_;
};

}  // namespace lrscope
