// The loader's thread never touches JavaScript: it reports a job's number to the environment, and
// the promise and the typed arrays of that job wait on the JavaScript thread.
#include <cmath>
#include <memory>
#include <string>

#include "binding/arguments.h"
#include "binding/cache.h"
#include "binding/environment.h"
#include "binding/errors.h"
#include "binding/exports.h"
#include "binding/handle.h"
#include "binding/typed_arrays.h"
#include "images/loader.h"

namespace lrscope {

namespace {

class LoaderHandle {
 public:
  LoaderHandle(std::shared_ptr<Environment> environment, std::unique_ptr<Loader> loader)
      : environment_(std::move(environment)), loader_(std::move(loader)) {
    environment_->stopAtEnd(this, [this] { loader_->abandon(); });
  }
  ~LoaderHandle() { close(); }
  LoaderHandle(const LoaderHandle&) = delete;
  LoaderHandle& operator=(const LoaderHandle&) = delete;

  Loader& loader() { return *loader_; }

  // Joins the thread; batches that still waited are rejected. Idempotent.
  void close() {
    environment_->forget(this);
    if (!loader_->open()) return;
    for (const uint64_t ticket : loader_->close())
      environment_->done(ticket, std::make_exception_ptr(Refusal("the data set was closed")));
  }

 private:
  const std::shared_ptr<Environment> environment_;
  const std::unique_ptr<Loader> loader_;
};

using Handle = std::shared_ptr<LoaderHandle>;
constexpr HandleType kType = {{0x6c7273636f706532ULL, 0x6c6f61646572ULL}, "a loader"};

Handle openHandleOf(const Napi::Value& value) {
  Handle handle = objectOf<LoaderHandle>(value, kType);
  if (!handle->loader().open()) throw Refusal("the data set is closed");
  return handle;
}

Augmentation readAugmentation(const Napi::Value& value) {
  const std::string name = readString(value, "augmentation");
  if (name == "photos") return Augmentation::kPhotos;
  if (name == "digits") return Augmentation::kDigits;
  if (name == "none") return Augmentation::kNone;
  throw Refusal("internal: augmentation must be photos, digits or none");
}

std::optional<EpochKey> readKey(const Napi::Value& value) {
  if (!value.IsObject()) return std::nullopt;
  const Napi::Object object = value.As<Napi::Object>();
  const auto seed = static_cast<uint32_t>(readInteger(object, "seed", 0, 0xffffffff));
  const auto epoch = static_cast<uint32_t>(readInteger(object, "epoch", 0, 0xffffffff));
  return EpochKey{seed, epoch};
}

std::vector<double> readStd(const Napi::Value& value, size_t channels) {
  std::vector<double> std = readNumbers(value, "std", channels);
  for (const double s : std)
    if (!(s > 0)) throw Refusal("internal: std must be positive");
  return std;
}

Refusal noImage(int64_t index) {
  return Refusal("internal: image " + std::to_string(index) + " is not in the data set");
}

// createLoader(cache, { labels, mean, std, augmentation })
Napi::Value createLoader(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = readObject(info[1], "options");
  const auto cache = cacheOf(info[0]);
  const auto channels = static_cast<size_t>(cache->channels());
  const Napi::Value given = options.Get("labels");
  std::vector<int32_t> labels = copyOf<int32_t>(given, "labels");
  if (labels.size() != cache->count()) throw Refusal("internal: one label an image is needed");
  const std::vector<double> mean = readNumbers(options.Get("mean"), "mean", channels);
  const std::vector<double> std = readStd(options.Get("std"), channels);
  const Augmentation augmentation = readAugmentation(options.Get("augmentation"));

  const auto environment = Environment::of(env);
  auto loader =
      std::make_unique<Loader>(cache, std::move(labels), mean, std, augmentation,
                               [environment](uint64_t ticket) { environment->done(ticket); });
  return makeHandle(env, kType, std::make_shared<LoaderHandle>(environment, std::move(loader)));
}

// fillBatch(loader, images, labels, indices, { seed, epoch } | null)
Napi::Value fillBatch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<EpochKey> key = readKey(info[4]);
  const Handle handle = openHandleOf(info[0]);
  const ImageCache& cache = handle->loader().cache();
  std::vector<int32_t> indices = copyOf<int32_t>(info[3], "indices");
  for (const int32_t index : indices)
    if (index < 0 || static_cast<size_t>(index) >= cache.count()) throw noImage(index);
  const size_t count = viewOf<int32_t>(info[2], "labels", indices.size()).count;

  struct Targets {
    Target<float> images;
    Target<int32_t> labels;
  };
  const auto targets = std::make_shared<Targets>(Targets{
      {info[1], "images", indices.size() * cache.imageBytes()}, {info[2], "labels", count}});
  BatchJob job{0,     targets->images.memory(), targets->labels.memory(),
               count, std::move(indices),       key};
  const auto [ticket, promise] =
      // With the loader, which closes where JavaScript forgets it though its batches are awaited.
      Environment::of(env)->begin(env, [targets, handle](Napi::Env env) -> Napi::Value {
        targets->images.deliver();
        targets->labels.deliver();
        return env.Undefined();
      });
  job.id = ticket;
  handle->loader().submit(std::move(job));
  return promise;
}

// loaderImage(loader, index, { seed, epoch } | null)
Napi::Value loaderImage(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::optional<EpochKey> key = readKey(info[2]);
  const Handle handle = openHandleOf(info[0]);
  const ImageCache& cache = handle->loader().cache();
  const int64_t index = readInteger(info[1], "index", 0, INT32_MAX);
  if (static_cast<size_t>(index) >= cache.count()) throw noImage(index);
  Napi::Uint8Array pixels = Napi::Uint8Array::New(env, cache.imageBytes());
  handle->loader().image(static_cast<int32_t>(index), key, pixels.Data());
  return pixels;
}

void closeLoader(const Napi::CallbackInfo& info) {
  objectOf<LoaderHandle>(info[0], kType)->close();
}

// normaliseImages(pixels, images, { size, channels, first, mean, std })
void normaliseImages(const Napi::CallbackInfo& info) {
  const Napi::Object options = readObject(info[2], "options");
  const WorkingShape shape = readShape(options);
  const auto channels = static_cast<size_t>(shape.channels);
  const std::vector<double> mean = readNumbers(options.Get("mean"), "mean", channels);
  const Normaliser normaliser(mean, readStd(options.Get("std"), channels));
  const auto first = static_cast<size_t>(readInteger(options, "first", 0, int64_t{1} << 31));
  const View<uint8_t> pixels = viewOf<uint8_t>(info[0], "pixels");
  const size_t count = pixels.count / shape.bytes();
  if (pixels.count % shape.bytes() != 0)
    throw Refusal("internal: pixels must be whole images of their size");
  const View<float> images = viewOf<float>(info[1], "images", (first + count) * shape.bytes());
  for (size_t i = 0; i < count; ++i)
    normaliser.plain(pixels.data + i * shape.bytes(), shape.bytes() / channels,
                     images.data + (first + i) * shape.bytes());
}

// warpImage(pixels, { size, channels }, [a, b, c, d, e, f])
Napi::Value warpImage(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const WorkingShape shape = readShape(readObject(info[1], "options"));
  const std::vector<double> matrix = readNumbers(info[2], "matrix", 6);
  for (const double value : matrix)
    if (std::abs(value) > 1e300) throw Refusal("internal: matrix must be numbers below 1e300");
  std::vector<uint8_t> padded = copyOf<uint8_t>(info[0], "pixels");
  if (padded.size() != shape.bytes()) throw Refusal("internal: the image does not have its size");
  padded.push_back(0);  // the byte behind the image that Warper::row asks for
  AffineMap map;
  std::copy(matrix.begin(), matrix.end(), map.begin());
  Napi::Float32Array out = Napi::Float32Array::New(env, shape.bytes());
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

void exportAugmentation(Napi::Object exports) {
  exportFunction(exports, "createLoader", createLoader);
  exportFunction(exports, "fillBatch", fillBatch);
  exportFunction(exports, "loaderImage", loaderImage);
  exportFunction(exports, "closeLoader", closeLoader);
  exportFunction(exports, "normaliseImages", normaliseImages);
  exportFunction(exports, "warpImage", warpImage);
}

}  // namespace lrscope
