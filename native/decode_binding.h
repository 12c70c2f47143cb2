// Adds decodeFiles, resampleImage and packImages to the module, and arguments that all parts check.
#pragma once
#include <napi.h>

#include <cstdint>
#include <vector>

namespace lrscope {

struct WorkingShape {
  int size;
  int channels;
  size_t bytes() const { return static_cast<size_t>(size) * size * channels; }
};

// size in 1 .. 8192 and channels 1 or 3, else a JavaScript exception.
WorkingShape readShape(const Napi::Object& options);

// An integer property in [low, high], else a JavaScript exception.
int64_t readInteger(const Napi::Object& options, const char* name, int64_t low, int64_t high);

// `count` finite numbers, else a JavaScript exception.
std::vector<double> readNumbers(const Napi::Value& value, const char* name, size_t count);

void exportDecoding(Napi::Env env, Napi::Object exports);

}  // namespace lrscope
