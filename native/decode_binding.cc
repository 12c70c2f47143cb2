#include "decode_binding.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "decode_jpeg.h"
#include "decode_worker.h"

namespace lrscope {

int64_t readInteger(const Napi::Object& options, const char* name, int64_t low, int64_t high) {
  const Napi::Value value = options.Get(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (!(number >= static_cast<double>(low) && number <= static_cast<double>(high)) ||
      number != std::floor(number))
    throw Napi::RangeError::New(options.Env(),
                                std::string("internal: ") + name + " must be an integer in [" +
                                    std::to_string(low) + ", " + std::to_string(high) + "]");
  return static_cast<int64_t>(number);
}

WorkingShape readShape(const Napi::Object& options) {
  const WorkingShape shape{static_cast<int>(readInteger(options, "size", 1, 8192)),
                           static_cast<int>(readInteger(options, "channels", 1, 3))};
  if (shape.channels == 2)
    throw Napi::RangeError::New(options.Env(), "internal: channels must be 1 or 3");
  return shape;
}

std::vector<double> readNumbers(const Napi::Value& value, const char* name, size_t count) {
  std::vector<double> numbers;
  if (value.IsArray()) {
    const Napi::Array array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); ++i) {
      const Napi::Value element = array.Get(i);
      if (element.IsNumber() && std::isfinite(element.As<Napi::Number>().DoubleValue()))
        numbers.push_back(element.As<Napi::Number>().DoubleValue());
    }
  }
  if (numbers.size() != count)
    throw Napi::RangeError::New(value.Env(), std::string("internal: ") + name + " must be " +
                                                 std::to_string(count) + " finite numbers");
  return numbers;
}

namespace {

void expectBytes(Napi::Env env, const char* what, size_t found, size_t wanted) {
  if (found < wanted)
    throw Napi::RangeError::New(env, std::string("internal: ") + what + " holds " +
                                         std::to_string(found) + " bytes; " +
                                         std::to_string(wanted) + " are needed");
}

// decodeFiles(files, pixels, { size, channels, threads }, states?)
Napi::Value decodeFiles(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array names = info[0].As<Napi::Array>();
  Napi::Uint8Array pixels = info[1].As<Napi::Uint8Array>();
  const Napi::Object options = info[2].As<Napi::Object>();
  const WorkingShape shape = readShape(options);
  const int threads = static_cast<int>(readInteger(options, "threads", 1, 1024));
  const auto files = std::make_shared<std::vector<std::string>>();
  for (uint32_t i = 0; i < names.Length(); ++i)
    files->push_back(names.Get(i).As<Napi::String>().Utf8Value());
  expectBytes(env, "pixels", pixels.ByteLength(), files->size() * shape.bytes());

  // Written by the threads as they go, for a process that watches this one: 1 where a file is
  // begun, 2 where it is done.
  uint8_t* states = nullptr;
  if (info[3].IsTypedArray()) {
    Napi::Uint8Array array = info[3].As<Napi::Uint8Array>();
    expectBytes(env, "states", array.ByteLength(), files->size());
    states = array.Data();
  }

  const auto outcomes = std::make_shared<std::vector<DecodeOutcome>>(files->size());
  uint8_t* const target = pixels.Data();
  auto* worker = new PromiseWorker(env);
  worker->hold(pixels);
  if (states) worker->hold(info[3]);
  return worker->start(
      [=] {
        forEach<JpegDecoder>(files->size(), threads, [&](JpegDecoder& decoder, size_t i) {
          if (states) __atomic_store_n(states + i, 1, __ATOMIC_SEQ_CST);
          try {
            (*outcomes)[i] =
                decoder.run((*files)[i], target + i * shape.bytes(), shape.size, shape.channels);
          } catch (const std::bad_alloc&) {
            (*outcomes)[i] = {DecodeStatus::kFailed, "not enough memory to decode it"};
          }
          if (states) __atomic_store_n(states + i, 2, __ATOMIC_SEQ_CST);
        });
      },
      [=](Napi::Env env) -> Napi::Value {
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
  if (view.channels == 2)
    throw Napi::RangeError::New(shape.Env(), "internal: channels must be 1 or 3");
  return view;
}

size_t rawBytes(const RawView& view) {
  return static_cast<size_t>(view.width) * view.height * view.channels;
}

// resampleImage(source, { width, height, channels }, target, { size, channels })
Napi::Value resampleImage(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Uint8Array source = info[0].As<Napi::Uint8Array>();
  Napi::Uint8Array target = info[2].As<Napi::Uint8Array>();
  RawView view = readRaw(info[1].As<Napi::Object>());
  const WorkingShape shape = readShape(info[3].As<Napi::Object>());
  expectBytes(env, "the image", source.ByteLength(), rawBytes(view));
  expectBytes(env, "the target", target.ByteLength(), shape.bytes());
  view.pixels = source.Data();
  uint8_t* const to = target.Data();
  auto* worker = new PromiseWorker(env);
  worker->hold(source);
  worker->hold(target);
  return worker->start([=] { Resampler().run(view, 1, to, shape.size, shape.channels); },
                       [](Napi::Env env) { return env.Undefined(); });
}

// packImages(source, { width, height, channels, base, stride, planar }, indices, target, { size,
// channels, threads })
Napi::Value packImages(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Uint8Array source = info[0].As<Napi::Uint8Array>();
  const Napi::Object layout = info[1].As<Napi::Object>();
  const Napi::Int32Array numbers = info[2].As<Napi::Int32Array>();
  Napi::Uint8Array target = info[3].As<Napi::Uint8Array>();
  const Napi::Object options = info[4].As<Napi::Object>();
  const RawView view = readRaw(layout);
  const size_t most = source.ByteLength();
  const size_t base =
      static_cast<size_t>(readInteger(layout, "base", 0, static_cast<int64_t>(most)));
  const size_t stride = static_cast<size_t>(readInteger(layout, "stride", 1, int64_t{1} << 40));
  const bool planar = layout.Get("planar").ToBoolean().Value();
  const WorkingShape shape = readShape(options);
  const int threads = static_cast<int>(readInteger(options, "threads", 1, 1024));
  const auto indices = std::make_shared<std::vector<int32_t>>(
      numbers.Data(), numbers.Data() + numbers.ElementLength());
  const size_t bytes = rawBytes(view);
  for (const int32_t index : *indices) {
    if (index < 0) throw Napi::RangeError::New(env, "internal: an image number is negative");
    expectBytes(env, "the block", most, base + static_cast<size_t>(index) * stride + bytes);
  }
  expectBytes(env, "the target", target.ByteLength(), indices->size() * shape.bytes());

  struct State {
    Resampler resampler;
    std::vector<uint8_t> interleaved;
  };
  const uint8_t* const from = source.Data() + base;
  uint8_t* const to = target.Data();
  auto* worker = new PromiseWorker(env);
  worker->hold(source);
  worker->hold(target);
  return worker->start(
      [=] {
        forEach<State>(indices->size(), threads, [&](State& state, size_t i) {
          RawView image = view;
          image.pixels = from + static_cast<size_t>((*indices)[i]) * stride;
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
      [](Napi::Env env) { return env.Undefined(); });
}

}  // namespace

void exportDecoding(Napi::Env env, Napi::Object exports) {
  exports.Set("decodeFiles", Napi::Function::New(env, decodeFiles, "decodeFiles"));
  exports.Set("resampleImage", Napi::Function::New(env, resampleImage, "resampleImage"));
  exports.Set("packImages", Napi::Function::New(env, packImages, "packImages"));
}

}  // namespace lrscope
