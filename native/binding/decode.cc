#include <memory>
#include <new>
#include <string>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/exports.h"
#include "binding/promise_worker.h"
#include "binding/typed_arrays.h"
#include "images/decode_jpeg.h"

namespace lrscope {

namespace {

// decodeFiles(files, pixels, { size, channels, threads }, states?)
Napi::Value decodeFiles(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array names = readArray(info[0], "files");
  const Napi::Object options = readObject(info[2], "options");
  const WorkingShape shape = readShape(options);
  const int threads = static_cast<int>(readInteger(options, "threads", 1, 1024));
  const auto files = std::make_shared<std::vector<std::string>>();
  for (uint32_t i = 0; i < names.Length(); ++i) files->push_back(readPath(names.Get(i), "a file"));
  const auto pixels =
      std::make_shared<Target<uint8_t>>(info[1], "pixels", files->size() * shape.bytes());

  // Written by the threads as they go, for a process that watches this one: 1 where a file is
  // begun, 2 where it is done.
  const auto states = info[3].IsUndefined()
                          ? nullptr
                          : std::make_shared<Target<uint8_t>>(info[3], "states", files->size());

  const auto outcomes = std::make_shared<std::vector<DecodeOutcome>>(files->size());
  return PromiseWorker::start(
      env,
      [=, memory = pixels->memory(), watched = states ? states->memory() : nullptr] {
        uint8_t* const target = memory.get();
        uint8_t* const state = watched.get();
        forEach<JpegDecoder>(files->size(), threads, [&](JpegDecoder& decoder, size_t i) {
          if (state) __atomic_store_n(state + i, 1, __ATOMIC_SEQ_CST);
          try {
            (*outcomes)[i] =
                decoder.run((*files)[i], target + i * shape.bytes(), shape.size, shape.channels);
          } catch (const std::bad_alloc&) {
            (*outcomes)[i] = {DecodeStatus::kFailed, "not enough memory to decode it"};
          }
          if (state) __atomic_store_n(state + i, 2, __ATOMIC_SEQ_CST);
        });
      },
      [=](Napi::Env env) -> Napi::Value {
        pixels->deliver();
        if (states) states->deliver();
        Napi::Uint8Array status = Napi::Uint8Array::New(env, outcomes->size());
        const Napi::Array reasons = Napi::Array::New(env, outcomes->size());
        for (size_t i = 0; i < outcomes->size(); ++i) {
          status[i] = static_cast<uint8_t>((*outcomes)[i].status);
          reasons.Set(static_cast<uint32_t>(i), (*outcomes)[i].reason);
        }
        const Napi::Object result = Napi::Object::New(env);
        result.Set("status", status);
        result.Set("reasons", reasons);
        return result;
      });
}

RawView readRaw(const Napi::Object& shape) {
  const RawView view{nullptr, static_cast<int>(readInteger(shape, "width", 1, 1 << 30)),
                     static_cast<int>(readInteger(shape, "height", 1, 1 << 30)),
                     static_cast<int>(readInteger(shape, "channels", 1, 3))};
  if (view.channels == 2) throw Refusal("internal: channels must be 1 or 3");
  return view;
}

size_t rawBytes(const RawView& view) {
  return static_cast<size_t>(view.width) * view.height * view.channels;
}

// resampleImage(source, { width, height, channels }, target, { size, channels })
Napi::Value resampleImage(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const RawView view = readRaw(readObject(info[1], "shape"));
  const WorkingShape shape = readShape(readObject(info[3], "options"));
  const View<uint8_t> given = viewOf<uint8_t>(info[0], "the image", rawBytes(view));
  const auto target = std::make_shared<Target<uint8_t>>(info[2], "the target", shape.bytes());
  const auto source =
      std::make_shared<const std::vector<uint8_t>>(given.data, given.data + rawBytes(view));
  return PromiseWorker::start(
      env,
      [=, memory = target->memory()] {
        RawView image = view;
        image.pixels = source->data();
        Resampler().run(image, 1, memory.get(), shape.size, shape.channels);
      },
      [=](Napi::Env env) -> Napi::Value {
        target->deliver();
        return env.Undefined();
      });
}

// packImages(source, { width, height, channels, base, stride, planar }, indices, target, { size,
// channels, threads })
Napi::Value packImages(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object layout = readObject(info[1], "shape");
  const RawView view = readRaw(layout);
  const auto base = static_cast<size_t>(readInteger(layout, "base", 0, int64_t{1} << 40));
  const auto stride = static_cast<size_t>(readInteger(layout, "stride", 1, int64_t{1} << 40));
  const bool planar = layout.Get("planar").ToBoolean().Value();
  const Napi::Object options = readObject(info[4], "options");
  const WorkingShape shape = readShape(options);
  const int threads = static_cast<int>(readInteger(options, "threads", 1, 1024));
  const std::vector<int32_t> indices = copyOf<int32_t>(info[2], "indices");
  const size_t count = indices.size(), bytes = rawBytes(view);
  const View<uint8_t> source = viewOf<uint8_t>(info[0], "the block");
  for (const int32_t index : indices)
    if (index < 0 || source.count < bytes || base > source.count - bytes ||
        static_cast<size_t>(index) > (source.count - bytes - base) / stride)
      throw Refusal("internal: image " + std::to_string(index) + " does not lie in the block");
  const auto target =
      std::make_shared<Target<uint8_t>>(info[3], "the target", count * shape.bytes());
  const auto images = std::make_shared<std::vector<uint8_t>>();
  images->reserve(count * bytes);
  for (const int32_t index : indices) {
    const uint8_t* const from = source.data + base + static_cast<size_t>(index) * stride;
    images->insert(images->end(), from, from + bytes);
  }

  struct State {
    Resampler resampler;
    std::vector<uint8_t> interleaved;
  };
  return PromiseWorker::start(
      env,
      [=, memory = target->memory()] {
        uint8_t* const to = memory.get();
        forEach<State>(count, threads, [&](State& state, size_t i) {
          RawView image = view;
          image.pixels = images->data() + i * bytes;
          if (planar && view.channels > 1) {
            const size_t plane = static_cast<size_t>(view.width) * view.height;
            state.interleaved.resize(bytes);
            for (size_t p = 0; p < plane; ++p)
              for (int c = 0; c < view.channels; ++c)
                state.interleaved[p * view.channels + c] = image.pixels[c * plane + p];
            image.pixels = state.interleaved.data();
          }
          state.resampler.run(image, 1, to + i * shape.bytes(), shape.size, shape.channels);
        });
      },
      [=](Napi::Env env) -> Napi::Value {
        target->deliver();
        return env.Undefined();
      });
}

}  // namespace

void exportDecoding(Napi::Object exports) {
  exportFunction(exports, "decodeFiles", decodeFiles);
  exportFunction(exports, "resampleImage", resampleImage);
  exportFunction(exports, "packImages", packImages);
}

}  // namespace lrscope
