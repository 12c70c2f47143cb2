// Fuzz target: JPEG files, one after the other through one decoder, as a data set's are. What a
// file gives may not depend on the files before it: a decoder that has seen none has to agree.
//
// Every thirtieth file or so begins a new data set, with a decoder and a working shape of its own.
// A decoder that a damaged file leaves in a state in which it refuses all others would hide what
// else there is to find.
#include "images/decode_jpeg.h"

#include <memory>

#include "input.h"

using lrscope::DecodeOutcome;
using lrscope::DecodeStatus;
using lrscope::JpegDecoder;

namespace {

struct DataSet {
  int side;
  int channels;
  JpegDecoder decoder;
};

// From the file itself, so that it means the same wherever it is run again.
uint32_t keyOf(const uint8_t* data, size_t size) {
  uint32_t key = 2166136261u;
  for (size_t i = 0; i < size; ++i) key = (key ^ data[i]) * 16777619u;
  return key >> 8;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static lrscope::InputFile file;
  static std::unique_ptr<DataSet> set;
  const uint32_t key = keyOf(data, size);
  if (!set || key % 30 == 0) {
    constexpr int kSides[] = {7, 16, 32, 96};
    set.reset(new DataSet{kSides[key / 30 % 4], key / 120 % 4 == 0 ? 1 : 3, {}});
  }
  const std::string& path = file.write(data, size);
  std::vector<uint8_t> pixels(static_cast<size_t>(set->side) * set->side * set->channels);
  const DecodeOutcome outcome = set->decoder.run(path, pixels.data(), set->side, set->channels);
#ifndef LRSCOPE_FUZZ_MEMORY_ALONE
  std::vector<uint8_t> expected(pixels.size());
  JpegDecoder unused;
  const DecodeOutcome alone = unused.run(path, expected.data(), set->side, set->channels);
  if (outcome.status != alone.status || outcome.reason != alone.reason)
    lrscope::fail("a file's outcome depends on the files before it: " +
                  std::to_string(static_cast<int>(outcome.status)) + " \"" + outcome.reason +
                  "\" after others, " + std::to_string(static_cast<int>(alone.status)) + " \"" +
                  alone.reason + "\" alone");
  if (outcome.status == DecodeStatus::kDecoded && pixels != expected)
    lrscope::fail("a file's pixels depend on the files before it");
#endif
  return 0;
}
