#include "binding/cache.h"

#include <string>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/promise_worker.h"
#include "binding/typed_arrays.h"
#include "images/crc32c.h"
#include "images/synthetic.h"

namespace lrscope {

namespace {

constexpr HandleType kType = {{0x6c7273636f706531ULL, 0x696d6167656361ULL}, "an image cache"};

// openCache(file, { offset, count, size, channels })
Napi::Value openCache(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = readObject(info[1], "options");
  const WorkingShape shape = readShape(options);
  const auto offset = static_cast<size_t>(readInteger(options, "offset", 0, int64_t{1} << 40));
  const auto count = static_cast<size_t>(readInteger(options, "count", 0, int64_t{1} << 31));
  return makeHandle(env, kType,
                    std::make_shared<ImageCache>(readString(info[0], "file"), offset, count,
                                                 shape.size, shape.channels));
}

void closeCache(const Napi::CallbackInfo& info) { objectOf<ImageCache>(info[0], kType).reset(); }

// crc32c(bytes, previous)
Napi::Value checksum(const Napi::CallbackInfo& info) {
  const auto previous = static_cast<uint32_t>(readInteger(info[1], "previous", 0, 0xffffffff));
  const View<uint8_t> bytes = viewOf<uint8_t>(info[0], "bytes");
  return Napi::Number::New(info.Env(), crc32c(bytes.data, bytes.count, previous));
}

// damagedBlock(cache, checksums, { first, blockBytes, threads })
Napi::Value findDamage(const Napi::CallbackInfo& info) {
  const Napi::Object options = readObject(info[2], "options");
  const auto first = static_cast<size_t>(readInteger(options, "first", 0, int64_t{1} << 31));
  const auto bytes = static_cast<size_t>(readInteger(options, "blockBytes", 1, int64_t{1} << 30));
  const auto threads = static_cast<int>(readInteger(options, "threads", 1, 1024));
  const auto checksums =
      std::make_shared<const std::vector<uint32_t>>(copyOf<uint32_t>(info[1], "checksums"));
  const std::shared_ptr<ImageCache> cache = cacheOf(info[0]);
  const auto result = std::make_shared<int64_t>(-1);
  return PromiseWorker::start(
      info.Env(), [=] { *result = damagedBlock(*cache, *checksums, first, bytes, threads); },
      [=](Napi::Env env) -> Napi::Value {
        return Napi::Number::New(env, static_cast<double>(*result));
      });
}

// pixelStatistics(cache, indices, threads)
Napi::Value statistics(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<ImageCache> cache = cacheOf(info[0]);
  const auto indices =
      std::make_shared<const std::vector<int32_t>>(copyOf<int32_t>(info[1], "indices"));
  const auto threads = static_cast<int>(readInteger(info[2], "threads", 1, 1024));
  for (const int32_t index : *indices)
    if (index < 0 || static_cast<size_t>(index) >= cache->count())
      throw Refusal("internal: an image number is outside the cache");
  const auto result = std::make_shared<PixelStatistics>();
  return PromiseWorker::start(
      env, [=] { *result = pixelStatistics(*cache, *indices, threads); },
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
  const Napi::Object options = readObject(info[2], "options");
  const int size = static_cast<int>(readInteger(options, "size", 1, 8192));
  const auto first = static_cast<uint32_t>(readInteger(options, "first", 0, int64_t{1} << 31));
  const auto seed = static_cast<uint32_t>(readInteger(options, "seed", 0, 0xffffffff));
  const std::vector<int32_t> labels = copyOf<int32_t>(info[1], "labels");
  for (const int32_t label : labels)
    if (label < 0 || label >= kSyntheticClasses) throw Refusal("internal: no such synthetic class");
  const size_t bytes = static_cast<size_t>(size) * size * 3;
  const View<uint8_t> target = viewOf<uint8_t>(info[0], "target", labels.size() * bytes);
  for (size_t i = 0; i < labels.size(); ++i)
    synthesise(target.data + i * bytes, size, labels[i], first + static_cast<uint32_t>(i), seed);
}

}  // namespace

std::shared_ptr<ImageCache> cacheOf(const Napi::Value& value) {
  const auto& handle = objectOf<ImageCache>(value, kType);
  if (!handle) throw Refusal("the data set is closed");
  return handle;
}

void exportCache(Napi::Object exports) {
  exportFunction(exports, "openCache", openCache);
  exportFunction(exports, "closeCache", closeCache);
  exportFunction(exports, "crc32c", checksum);
  exportFunction(exports, "damagedBlock", findDamage);
  exportFunction(exports, "pixelStatistics", statistics);
  exportFunction(exports, "synthesiseImages", synthesiseImages);
}

}  // namespace lrscope
