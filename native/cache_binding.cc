#include "cache_binding.h"

#include <string>

#include "cache_synthetic.h"
#include "decode_binding.h"
#include "decode_worker.h"

namespace lrscope {

namespace {

using Handle = std::shared_ptr<ImageCache>;
constexpr napi_type_tag kTag = {0x6c7273636f706531ULL, 0x696d6167656361ULL};

Handle& handleOf(const Napi::Value& value) {
  if (!value.IsExternal() || !value.As<Napi::External<Handle>>().CheckTypeTag(&kTag))
    throw Napi::TypeError::New(value.Env(), "internal: not an image cache");
  return *value.As<Napi::External<Handle>>().Data();
}

// openCache(file, { offset, count, size, channels })
Napi::Value openCache(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = info[1].As<Napi::Object>();
  const WorkingShape shape = readShape(options);
  const auto offset = static_cast<size_t>(readInteger(options, "offset", 0, int64_t{1} << 40));
  const auto count = static_cast<size_t>(readInteger(options, "count", 0, int64_t{1} << 31));
  try {
    auto handle = std::make_unique<Handle>(std::make_shared<ImageCache>(
        info[0].As<Napi::String>().Utf8Value(), offset, count, shape.size, shape.channels));
    const auto external = Napi::External<Handle>::New(env, handle.get(),
                                                      [](Napi::Env, Handle* held) { delete held; });
    handle.release();
    external.TypeTag(&kTag);
    return external;
  } catch (const std::runtime_error& error) {
    throw Napi::Error::New(env, error.what());
  }
}

void closeCache(const Napi::CallbackInfo& info) { handleOf(info[0]).reset(); }

// pixelStatistics(cache, indices, threads)
Napi::Value statistics(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Handle cache = cacheOf(info[0]);
  const Napi::Int32Array numbers = info[1].As<Napi::Int32Array>();
  const int threads = info[2].As<Napi::Number>().Int32Value();
  const auto indices = std::make_shared<std::vector<int32_t>>(
      numbers.Data(), numbers.Data() + numbers.ElementLength());
  for (const int32_t index : *indices)
    if (index < 0 || static_cast<size_t>(index) >= cache->count())
      throw Napi::RangeError::New(env, "internal: an image number is outside the cache");
  const auto result = std::make_shared<PixelStatistics>();
  return (new PromiseWorker(env))
      ->start([=] { *result = pixelStatistics(*cache, *indices, threads); },
              [=](Napi::Env env) -> Napi::Value {
                const Napi::Array mean = Napi::Array::New(env), std = Napi::Array::New(env);
                for (uint32_t c = 0; c < result->mean.size(); ++c) {
                  mean.Set(c, result->mean[c]);
                  std.Set(c, result->std[c]);
                }
                const Napi::Object object = Napi::Object::New(env);
                object.Set("mean", mean);
                object.Set("std", std);
                return object;
              });
}

// synthesiseImages(target, labels, { size, first, seed })
void synthesiseImages(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Uint8Array target = info[0].As<Napi::Uint8Array>();
  Napi::Int32Array labels = info[1].As<Napi::Int32Array>();
  const Napi::Object options = info[2].As<Napi::Object>();
  const int size = static_cast<int>(readInteger(options, "size", 1, 8192));
  const auto first = static_cast<uint32_t>(readInteger(options, "first", 0, int64_t{1} << 31));
  const auto seed = static_cast<uint32_t>(readInteger(options, "seed", 0, 0xffffffff));
  const size_t bytes = static_cast<size_t>(size) * size * 3;
  if (target.ByteLength() < labels.ElementLength() * bytes)
    throw Napi::RangeError::New(env, "internal: the target is too small");
  for (size_t i = 0; i < labels.ElementLength(); ++i)
    if (labels[i] < 0 || labels[i] >= kSyntheticClasses)
      throw Napi::RangeError::New(env, "internal: no such synthetic class");
  for (size_t i = 0; i < labels.ElementLength(); ++i)
    synthesise(target.Data() + i * bytes, size, labels[i], first + static_cast<uint32_t>(i), seed);
}

}  // namespace

std::shared_ptr<ImageCache> cacheOf(const Napi::Value& value) {
  const Handle& handle = handleOf(value);
  if (!handle) throw Napi::Error::New(value.Env(), "the data set is closed");
  return handle;
}

void exportCache(Napi::Env env, Napi::Object exports) {
  exports.Set("openCache", Napi::Function::New(env, openCache, "openCache"));
  exports.Set("closeCache", Napi::Function::New(env, closeCache, "closeCache"));
  exports.Set("pixelStatistics", Napi::Function::New(env, statistics, "pixelStatistics"));
  exports.Set("synthesiseImages", Napi::Function::New(env, synthesiseImages, "synthesiseImages"));
}

}  // namespace lrscope
