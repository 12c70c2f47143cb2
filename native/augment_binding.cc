// The loader's thread never touches JavaScript: it reports a job's number through a thread-safe
// function, and the promise and the typed arrays of that job wait on the JavaScript thread.
#include "augment_binding.h"

#include <cmath>
#include <map>
#include <memory>
#include <string>

#include "augment_loader.h"
#include "cache_binding.h"
#include "decode_binding.h"

namespace lrscope {

namespace {

struct Pending {
  Napi::Promise::Deferred deferred;
  Napi::ObjectReference images;
  Napi::ObjectReference labels;
};

// A loader and what the JavaScript thread remembers of its jobs.
struct LoaderHandle {
  std::unique_ptr<Loader> loader;
  std::map<uint64_t, Pending> pending;
  uint64_t next = 0;
  size_t images = 0;
  Napi::Env env{nullptr};

  static void settle(Napi::Env env, Napi::Function, LoaderHandle* handle, uint64_t* id) {
    const std::unique_ptr<uint64_t> owned(id);
    if (env == nullptr) return;  // the environment is going down
    const auto found = handle->pending.find(*owned);
    if (found == handle->pending.end()) return;
    found->second.deferred.Resolve(env.Undefined());
    handle->pending.erase(found);
    // An idle loader does not keep the process alive.
    if (handle->pending.empty() && handle->loader->open()) handle->reporter.Unref(env);
  }
  using Reporter = Napi::TypedThreadSafeFunction<LoaderHandle, uint64_t, settle>;
  Reporter reporter;

  // Joins the thread before memory that it may write to goes away. Idempotent.
  void close() {
    if (!loader->open()) return;
    const std::vector<uint64_t> dropped = loader->close();
    for (const uint64_t id : dropped) {
      const auto found = pending.find(id);
      found->second.deferred.Reject(Napi::Error::New(env, "the data set was closed").Value());
      pending.erase(found);
    }
    reporter.Release();
  }
};

using Handle = std::shared_ptr<LoaderHandle>;
constexpr napi_type_tag kTag = {0x6c7273636f706532ULL, 0x6c6f61646572ULL};

void stopAtExit(void* handle) {
  auto* held = static_cast<LoaderHandle*>(handle);
  if (held->loader->open()) held->loader->close();
}

Handle& handleOf(const Napi::Value& value) {
  if (!value.IsExternal() || !value.As<Napi::External<Handle>>().CheckTypeTag(&kTag))
    throw Napi::TypeError::New(value.Env(), "internal: not a loader");
  return *value.As<Napi::External<Handle>>().Data();
}

Handle& openHandleOf(const Napi::Value& value) {
  Handle& handle = handleOf(value);
  if (!handle->loader->open()) throw Napi::Error::New(value.Env(), "the data set is closed");
  return handle;
}

Augmentation readAugmentation(const Napi::Value& value) {
  const std::string name = value.ToString().Utf8Value();
  return name == "photos"   ? Augmentation::kPhotos
         : name == "digits" ? Augmentation::kDigits
                            : Augmentation::kNone;
}

std::optional<EpochKey> readKey(const Napi::Value& value) {
  if (!value.IsObject()) return std::nullopt;
  const Napi::Object object = value.As<Napi::Object>();
  return EpochKey{static_cast<uint32_t>(readInteger(object, "seed", 0, 0xffffffff)),
                  static_cast<uint32_t>(readInteger(object, "epoch", 0, 0xffffffff))};
}

std::vector<double> readStd(const Napi::Value& value, size_t channels) {
  std::vector<double> std = readNumbers(value, "std", channels);
  for (const double s : std)
    if (!(s > 0)) throw Napi::RangeError::New(value.Env(), "internal: std must be positive");
  return std;
}

// createLoader(cache, { labels, mean, std, augmentation })
Napi::Value createLoader(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<ImageCache> cache = cacheOf(info[0]);
  const Napi::Object options = info[1].As<Napi::Object>();
  Napi::Int32Array labels = options.Get("labels").As<Napi::Int32Array>();
  const auto channels = static_cast<size_t>(cache->channels());
  if (labels.ElementLength() != cache->count())
    throw Napi::RangeError::New(env, "internal: one label an image is needed");
  const std::vector<double> mean = readNumbers(options.Get("mean"), "mean", channels);
  const std::vector<double> std = readStd(options.Get("std"), channels);

  auto handle = std::make_shared<LoaderHandle>();
  handle->env = env;
  handle->images = cache->count();
  // The reporter owns a share of the handle: calls still on their way find it alive.
  auto* share = new Handle(handle);
  handle->reporter = LoaderHandle::Reporter::New(
      env, "lrscope loader", 0, 1, handle.get(),
      [](Napi::Env, Handle* held, LoaderHandle*) { delete held; }, share);
  handle->reporter.Unref(env);
  LoaderHandle* const raw = handle.get();
  handle->loader = std::make_unique<Loader>(
      cache, std::vector<int32_t>(labels.Data(), labels.Data() + labels.ElementLength()), mean, std,
      readAugmentation(options.Get("augmentation")), [raw](uint64_t id) {
        auto report = std::make_unique<uint64_t>(id);
        if (raw->reporter.BlockingCall(report.get()) == napi_ok) report.release();
      });
  napi_add_env_cleanup_hook(env, stopAtExit, raw);
  const auto external =
      Napi::External<Handle>::New(env, new Handle(handle), [](Napi::Env env, Handle* held) {
        napi_remove_env_cleanup_hook(env, stopAtExit, held->get());
        (*held)->close();
        delete held;
      });
  external.TypeTag(&kTag);
  return external;
}

// fillBatch(loader, images, labels, indices, { seed, epoch } | null)
Napi::Value fillBatch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Handle handle = openHandleOf(info[0]);
  const ImageCache& cache = handle->loader->cache();
  Napi::Float32Array images = info[1].As<Napi::Float32Array>();
  Napi::Int32Array labels = info[2].As<Napi::Int32Array>();
  const Napi::Int32Array numbers = info[3].As<Napi::Int32Array>();
  BatchJob job{handle->next++,
               images.Data(),
               labels.Data(),
               labels.ElementLength(),
               {numbers.Data(), numbers.Data() + numbers.ElementLength()},
               readKey(info[4])};
  if (images.ElementLength() < job.indices.size() * cache.imageBytes() ||
      job.labelCount < job.indices.size())
    throw Napi::RangeError::New(env, "internal: the batch does not fit its buffers");
  for (const int32_t index : job.indices)
    if (index < 0 || static_cast<size_t>(index) >= cache.count())
      throw Napi::RangeError::New(
          env, "internal: image " + std::to_string(index) + " is not in the data set");
  Pending pending{Napi::Promise::Deferred::New(env), Napi::Persistent(images.As<Napi::Object>()),
                  Napi::Persistent(labels.As<Napi::Object>())};
  const Napi::Promise promise = pending.deferred.Promise();
  if (handle->pending.empty()) handle->reporter.Ref(env);
  handle->pending.emplace(job.id, std::move(pending));
  handle->loader->submit(std::move(job));
  return promise;
}

// loaderImage(loader, index, { seed, epoch } | null)
Napi::Value loaderImage(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Handle handle = openHandleOf(info[0]);
  const ImageCache& cache = handle->loader->cache();
  const int64_t index = info[1].As<Napi::Number>().Int64Value();
  if (index < 0 || static_cast<size_t>(index) >= cache.count())
    throw Napi::RangeError::New(
        env, "internal: image " + std::to_string(index) + " is not in the data set");
  Napi::Uint8Array pixels = Napi::Uint8Array::New(env, cache.imageBytes());
  handle->loader->image(static_cast<int32_t>(index), readKey(info[2]), pixels.Data());
  return pixels;
}

void closeLoader(const Napi::CallbackInfo& info) { handleOf(info[0])->close(); }

// normaliseImages(pixels, images, { size, channels, first, mean, std })
void normaliseImages(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Uint8Array pixels = info[0].As<Napi::Uint8Array>();
  Napi::Float32Array images = info[1].As<Napi::Float32Array>();
  const Napi::Object options = info[2].As<Napi::Object>();
  const WorkingShape shape = readShape(options);
  const auto channels = static_cast<size_t>(shape.channels);
  const Normaliser normaliser(readNumbers(options.Get("mean"), "mean", channels),
                              readStd(options.Get("std"), channels));
  const size_t count = pixels.ByteLength() / shape.bytes();
  const auto first = static_cast<size_t>(readInteger(options, "first", 0, int64_t{1} << 31));
  if (pixels.ByteLength() % shape.bytes() != 0 ||
      images.ElementLength() < (first + count) * shape.bytes())
    throw Napi::RangeError::New(env, "internal: the images do not fit their buffer");
  for (size_t i = 0; i < count; ++i)
    normaliser.plain(pixels.Data() + i * shape.bytes(), shape.bytes() / channels,
                     images.Data() + (first + i) * shape.bytes());
}

// warpImage(pixels, { size, channels }, [a, b, c, d, e, f])
Napi::Value warpImage(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Uint8Array pixels = info[0].As<Napi::Uint8Array>();
  const WorkingShape shape = readShape(info[1].As<Napi::Object>());
  const std::vector<double> matrix = readNumbers(info[2], "matrix", 6);
  if (pixels.ByteLength() != shape.bytes())
    throw Napi::RangeError::New(env, "internal: the image does not have its size");
  Affine map;
  std::copy(matrix.begin(), matrix.end(), map.begin());
  Napi::Float32Array out = Napi::Float32Array::New(env, shape.bytes());
  std::vector<uint8_t> padded(pixels.Data(), pixels.Data() + shape.bytes());
  padded.push_back(0);  // the byte behind the image that Warper::row asks for
  Warper warper(shape.size, shape.channels);
  const size_t plane = static_cast<size_t>(shape.size) * shape.size;
  for (int y = 0; y < shape.size; ++y) {
    const float* row = warper.row(padded.data(), map, y);
    for (int c = 0; c < shape.channels; ++c)
      std::copy(row + static_cast<size_t>(c) * shape.size,
                row + static_cast<size_t>(c + 1) * shape.size,
                out.Data() + c * plane + static_cast<size_t>(y) * shape.size);
  }
  return out;
}

}  // namespace

void exportAugmentation(Napi::Env env, Napi::Object exports) {
  exports.Set("createLoader", Napi::Function::New(env, createLoader, "createLoader"));
  exports.Set("fillBatch", Napi::Function::New(env, fillBatch, "fillBatch"));
  exports.Set("loaderImage", Napi::Function::New(env, loaderImage, "loaderImage"));
  exports.Set("closeLoader", Napi::Function::New(env, closeLoader, "closeLoader"));
  exports.Set("normaliseImages", Napi::Function::New(env, normaliseImages, "normaliseImages"));
  exports.Set("warpImage", Napi::Function::New(env, warpImage, "warpImage"));
}

}  // namespace lrscope
