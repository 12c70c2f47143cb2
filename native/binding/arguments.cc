#include "binding/arguments.h"

#include <cmath>

#include "core/refusal.h"

namespace lrscope {

namespace {

constexpr uint32_t kMostEntries = 1u << 24;

}  // namespace

Refusal mistyped(const char* name, const std::string& what) {
  return Refusal(std::string("internal: ") + name + " must be " + what);
}

Napi::Object readObject(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw mistyped(name, "an object");
  return value.As<Napi::Object>();
}

Napi::Array readArray(const Napi::Value& value, const char* name) {
  if (!value.IsArray()) throw mistyped(name, "an array");
  const auto array = value.As<Napi::Array>();
  if (array.Length() > kMostEntries) throw mistyped(name, "an array of at most 2^24 entries");
  return array;
}

std::string readString(const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw mistyped(name, "a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos) throw mistyped(name, "a string without NUL");
  return text;
}

std::string readPath(const Napi::Value& value, const char* name) {
  if (!value.IsBuffer()) return readString(value, name);
  const Napi::Buffer<char> bytes = value.As<Napi::Buffer<char>>();
  std::string path(bytes.Data(), bytes.Length());
  if (path.find('\0') != std::string::npos) throw mistyped(name, "a path without NUL");
  return path;
}

double readNumber(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) throw mistyped(name, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

int64_t readInteger(const Napi::Value& value, const char* name, int64_t low, int64_t high) {
  const double number = readNumber(value, name);
  if (!(number >= static_cast<double>(low) && number <= static_cast<double>(high)) ||
      number != std::floor(number))
    throw mistyped(name, "an integer in range [" + std::to_string(low) + ", " +
                             std::to_string(high) + "]; " + std::to_string(number) +
                             " is out of range");
  return static_cast<int64_t>(number);
}

Napi::Object readObject(const Napi::Object& options, const char* name) {
  return readObject(options.Get(name).As<Napi::Value>(), name);
}

Napi::Array readArray(const Napi::Object& options, const char* name) {
  return readArray(options.Get(name).As<Napi::Value>(), name);
}

std::string readString(const Napi::Object& options, const char* name) {
  return readString(options.Get(name).As<Napi::Value>(), name);
}

double readNumber(const Napi::Object& options, const char* name) {
  return readNumber(options.Get(name).As<Napi::Value>(), name);
}

int64_t readInteger(const Napi::Object& options, const char* name, int64_t low, int64_t high) {
  return readInteger(options.Get(name).As<Napi::Value>(), name, low, high);
}

std::vector<double> readNumbers(const Napi::Value& value, const char* name, size_t count) {
  std::vector<double> numbers;
  if (value.IsArray() && value.As<Napi::Array>().Length() == count) {
    for (uint32_t i = 0; i < count; ++i) {
      const Napi::Value element = value.As<Napi::Array>().Get(i);
      if (element.IsNumber() && std::isfinite(element.As<Napi::Number>().DoubleValue()))
        numbers.push_back(element.As<Napi::Number>().DoubleValue());
    }
  }
  if (numbers.size() != count) throw mistyped(name, std::to_string(count) + " finite numbers");
  return numbers;
}

WorkingShape readShape(const Napi::Object& options) {
  const WorkingShape shape{static_cast<int>(readInteger(options, "size", 1, 8192)),
                           static_cast<int>(readInteger(options, "channels", 1, 3))};
  if (shape.channels == 2) throw Refusal("internal: channels must be 1 or 3");
  return shape;
}

}  // namespace lrscope
