// Reading plain JavaScript values, refused with the name of what is amiss.
#pragma once
#include <napi.h>

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/convert.h"

namespace lrscope {

constexpr int64_t kMaxBytes = int64_t{1} << 46;
constexpr int64_t kMaxExtent = int64_t{1} << 31;
constexpr int64_t kMaxElements = int64_t{1} << 40;

inline Napi::Value get(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Value>();
}

inline Napi::Object objectAt(const Napi::Array& array, uint32_t i) {
  return readObject(array.Get(i).As<Napi::Value>(), "an entry");
}

inline double numberAt(const Napi::Array& array, uint32_t i) {
  return readNumber(array.Get(i).As<Napi::Value>(), "an entry");
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
    indices[i] =
        static_cast<int>(readInteger(array.Get(i).As<Napi::Value>(), "an index", 0, 1 << 30));
  return indices;
}

inline int getIndex(const Napi::Object& object, const char* name) {
  return static_cast<int>(readInteger(object, name, 0, 1 << 30));
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
