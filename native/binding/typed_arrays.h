// Typed arrays as they come from JavaScript. Their memory is JavaScript's: it can be transferred
// away or shrunk whenever JavaScript runs, and is then freed by whoever has it. So the JavaScript
// thread looks at it only right after the checks, and other threads never do: what they read is
// copied first, what they write is copied when they are done. Memory of a session is the exception:
// it is written in place, kept alive by whoever writes.
#pragma once
#include <napi.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "binding/environment.h"

namespace lrscope {

// The elements of a typed array, until JavaScript runs again.
template <class T>
struct View {
  T* data;
  size_t count;

  const T* begin() const { return data; }
  const T* end() const { return data + count; }
};

// The memory of a typed array of this type. Refuses every other value, a detached buffer, and fewer
// elements than `least`.
View<void> viewAs(napi_typedarray_type type, const Napi::Value& value, const char* name,
                  size_t least);

template <class T>
struct TypedArrayType;
template <>
struct TypedArrayType<uint8_t> {
  static constexpr napi_typedarray_type value = napi_uint8_array;
};
template <>
struct TypedArrayType<int32_t> {
  static constexpr napi_typedarray_type value = napi_int32_array;
};
template <>
struct TypedArrayType<uint32_t> {
  static constexpr napi_typedarray_type value = napi_uint32_array;
};
template <>
struct TypedArrayType<float> {
  static constexpr napi_typedarray_type value = napi_float32_array;
};
template <>
struct TypedArrayType<double> {
  static constexpr napi_typedarray_type value = napi_float64_array;
};

template <class T>
View<T> viewOf(const Napi::Value& value, const char* name, size_t least = 0) {
  const View<void> view = viewAs(TypedArrayType<T>::value, value, name, least);
  return {static_cast<T*>(view.data), view.count};
}

// A copy, for other threads, and for values that are checked before they are used: what lies in a
// SharedArrayBuffer may change between the two.
template <class T>
std::vector<T> copyOf(const Napi::Value& value, const char* name) {
  const View<T> view = viewOf<T>(value, name);
  return {view.begin(), view.end()};
}

// A new typed array for JavaScript.
inline Napi::Float64Array toFloat64Array(Napi::Env env, const std::vector<double>& values) {
  Napi::Float64Array array = Napi::Float64Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

// What another thread writes into the first `count` elements of a typed array. Of the JavaScript
// thread, but for memory().
template <class T>
class Target {
 public:
  Target(const Napi::Value& value, const char* name, size_t count) : name_(name), count_(count) {
    const View<T> view = viewOf<T>(value, name, count);
    array_ = Napi::Persistent(value.As<Napi::Object>());
    const auto environment = Environment::of(value.Env());
    if (const auto block = environment->lenderOf(view.data, count * sizeof(T))) {
      memory_ = std::shared_ptr<T>(block, view.data);
      lent_ = true;
    } else {
      memory_ = std::shared_ptr<T>(new T[count](), std::default_delete<T[]>());
    }
  }

  // To be written; alive as long as someone holds it.
  const std::shared_ptr<T>& memory() const { return memory_; }

  // After the writing.
  void deliver() const {
    if (lent_) return;
    const View<T> view = viewOf<T>(array_.Value(), name_, count_);
    std::copy(memory_.get(), memory_.get() + count_, view.data);
  }

 private:
  const char* name_;
  size_t count_;
  Napi::ObjectReference array_;
  std::shared_ptr<T> memory_;
  bool lent_ = false;
};

}  // namespace lrscope
