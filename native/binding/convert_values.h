// Reading plain JavaScript values, refused with the name of what is amiss.
#pragma once
#include <napi.h>

#include <cmath>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/convert.h"

namespace lrscope {

constexpr double kMaxBytes = 1ull << 46;
constexpr double kMaxExtent = 1ull << 31;
constexpr double kMaxElements = 1ull << 40;

inline Refusal mistyped(const char* name, const char* what) {
  return Refusal(std::string("internal: ") + name + " must be " + what);
}

inline Napi::Value get(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Value>();
}

inline Napi::Object getObject(const Napi::Object& object, const char* name) {
  const Napi::Value value = get(object, name);
  if (!value.IsObject()) throw mistyped(name, "an object");
  return value.As<Napi::Object>();
}

inline Napi::Array getArray(const Napi::Object& object, const char* name) {
  return readArray(get(object, name), name);
}

inline Napi::Object objectAt(const Napi::Array& array, uint32_t i) {
  const Napi::Value value = array.Get(i).As<Napi::Value>();
  if (!value.IsObject()) throw Refusal("internal: expects an array of objects");
  return value.As<Napi::Object>();
}

inline double numberAt(const Napi::Array& array, uint32_t i) {
  const Napi::Value value = array.Get(i).As<Napi::Value>();
  if (!value.IsNumber()) throw Refusal("internal: expects an array of numbers");
  return value.As<Napi::Number>().DoubleValue();
}

inline int64_t integer(double value, double low, double high, const char* name) {
  if (!(value >= low && value <= high) || value != std::floor(value))
    throw Refusal(std::string("internal: ") + name + " must be an integer in range; got " +
                  std::to_string(value));
  return static_cast<int64_t>(value);
}

template <class T>
T oneOf(const std::string& value, std::initializer_list<std::pair<const char*, T>> table,
        const char* what) {
  for (const auto& [name, entry] : table)
    if (value == name) return entry;
  throw Refusal("internal: unknown " + std::string(what) + " \"" + value + "\"");
}

inline std::vector<int> toIndices(const Napi::Array& array) {
  std::vector<int> indices(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i)
    indices[i] = static_cast<int>(integer(numberAt(array, i), 0, 1 << 30, "an index"));
  return indices;
}

inline int getIndex(const Napi::Object& object, const char* name) {
  return static_cast<int>(getInteger(object, name, 0, 1 << 30));
}

using Operands = std::map<int64_t, Operand>;

inline const Operand& operandOf(const Operands& operands, double id) {
  const auto found = operands.find(static_cast<int64_t>(id));
  if (found == operands.end())
    throw Refusal("internal: there is no buffer " + std::to_string(static_cast<int64_t>(id)));
  return found->second;
}

inline std::vector<Operand> operandsOf(const Operands& operands, const Napi::Array& ids) {
  std::vector<Operand> list;
  list.reserve(ids.Length());
  for (uint32_t i = 0; i < ids.Length(); ++i) list.push_back(operandOf(operands, numberAt(ids, i)));
  return list;
}

// An OptimizerProgram, its buffers resolved.
std::shared_ptr<OptimizerProgram> toOptimizer(const Napi::Object& object, const Operands& operands);

}  // namespace lrscope
