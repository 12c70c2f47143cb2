#include "binding/typed_arrays.h"

namespace lrscope {

namespace {

const char* nameOf(napi_typedarray_type type) {
  switch (type) {
    case napi_uint8_array:
      return "a Uint8Array";
    case napi_int32_array:
      return "an Int32Array";
    case napi_uint32_array:
      return "a Uint32Array";
    case napi_float32_array:
      return "a Float32Array";
    case napi_float64_array:
      return "a Float64Array";
    default:
      return "another typed array";
  }
}

}  // namespace

View<void> viewAs(napi_typedarray_type type, const Napi::Value& value, const char* name,
                  size_t least) {
  const napi_env env = value.Env();
  napi_typedarray_type found = napi_int8_array;
  size_t count = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(env, value, &found, &count, &data, &buffer, nullptr) != napi_ok ||
      found != type)
    throw Refusal(std::string(name) + " must be " + nameOf(type));
  bool detached = false;
  if (napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached)
    throw Refusal(std::string(name) +
                  " lies in a buffer that was transferred away; leave it alone until the promise "
                  "is settled");
  if (count < least)
    throw Refusal(std::string(name) + " holds " + std::to_string(count) +
                  (type == napi_uint8_array ? " bytes; " : " values; ") + std::to_string(least) +
                  " are needed");
  return {data, count};
}

}  // namespace lrscope
