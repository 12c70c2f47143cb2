// Arguments as they come from JavaScript, checked. A getter or a proxy among them runs JavaScript,
// which may transfer a buffer or close what it belongs to: so numbers, strings and objects are read
// first, then typed arrays and handles, and nothing of JavaScript's runs between that and their
// use.
#pragma once
#include <napi.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/refusal.h"

namespace lrscope {

// Refuses what is no object.
Napi::Object readObject(const Napi::Value& value, const char* name);

// An array of at most 2^24 entries, more than anything that is listed here has.
Napi::Array readArray(const Napi::Value& value, const char* name);

// A string without NUL, which would end a path early.
std::string readString(const Napi::Value& value, const char* name);

// The same, or the bytes of a name that is no text.
std::string readPath(const Napi::Value& value, const char* name);

double readNumber(const Napi::Value& value, const char* name);

// An integer in [low, high].
int64_t readInteger(const Napi::Value& value, const char* name, int64_t low, int64_t high);

// The same, of a property.
Napi::Object readObject(const Napi::Object& options, const char* name);
Napi::Array readArray(const Napi::Object& options, const char* name);
std::string readString(const Napi::Object& options, const char* name);
double readNumber(const Napi::Object& options, const char* name);
int64_t readInteger(const Napi::Object& options, const char* name, int64_t low, int64_t high);

// The refusal of all of them: "internal: NAME must be WHAT".
Refusal mistyped(const char* name, const std::string& what);

// `count` finite numbers.
std::vector<double> readNumbers(const Napi::Value& value, const char* name, size_t count);

// Pixels of a square image.
struct WorkingShape {
  int size;
  int channels;
  size_t bytes() const { return static_cast<size_t>(size) * size * channels; }
};

// size in 1 .. 8192 and channels 1 or 3.
WorkingShape readShape(const Napi::Object& options);

}  // namespace lrscope
