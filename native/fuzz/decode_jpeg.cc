// Fuzz target: JPEG files, one after the other through one decoder, as a data set's are. What a file
// gives may not depend on the files before it: a decoder that has seen none has to agree.
#include "../decode_jpeg.h"

#include "input.h"

using lrscope::DecodeOutcome;
using lrscope::DecodeStatus;
using lrscope::JpegDecoder;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static lrscope::InputFile file;
  static JpegDecoder used;
  constexpr int kSizes[] = {7, 32, 96};
  // From the input itself, so that it means the same wherever it is run again.
  const size_t key = size == 0 ? 0 : size + data[size / 2];
  const int side = kSizes[key % 3];
  const int channels = key / 3 % 2 == 0 ? 3 : 1;
  const std::string& path = file.write(data, size);

  std::vector<uint8_t> pixels(static_cast<size_t>(side) * side * channels);
  const DecodeOutcome outcome = used.run(path, pixels.data(), side, channels);
  std::vector<uint8_t> expected(pixels.size());
  JpegDecoder unused;
  const DecodeOutcome alone = unused.run(path, expected.data(), side, channels);
  if (outcome.status != alone.status || outcome.reason != alone.reason)
    lrscope::fail("a file's outcome depends on the files before it: \"" + outcome.reason +
                  "\" after others, \"" + alone.reason + "\" alone");
  if (outcome.status == DecodeStatus::kDecoded && pixels != expected)
    lrscope::fail("a file's pixels depend on the files before it");
  return 0;
}
