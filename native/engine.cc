// The engine's exports: engineInfo, chooseLayouts and createSession, whose objects the classes
// below are. What they do is in the files that they include; here values change language.
#include <napi.h>
#include <omp.h>

#include <cmath>

#include "convert.h"
#include "executor.h"
#include "exports.h"
#include "job.h"
#include "philox.h"

namespace lrscope {

namespace {

// Runs `work`, turning what the engine throws into a JavaScript error.
template <class Work>
auto guarded(Napi::Env env, Work work) -> decltype(work()) {
  const auto failure = [&](const std::string& message) { return Napi::Error::New(env, message); };
  try {
    return work();
  } catch (const InstructionFailure& error) {
    Napi::Error js = failure(error.what());
    js.Set("instruction", static_cast<double>(error.instruction));
    throw js;
  } catch (const Napi::Error&) {
    throw;
  } catch (const dnnl::error& error) {
    throw failure(std::string("oneDNN: ") + error.what());
  } catch (const std::exception& error) {
    throw failure(error.what());
  }
}

Napi::Object objectArgument(const Napi::CallbackInfo& info, size_t i) {
  if (!info[i].IsObject()) throw Refusal("internal: expects an object");
  return info[i].As<Napi::Object>();
}

double numberArgument(const Napi::CallbackInfo& info, size_t i) {
  if (!info[i].IsNumber()) throw Refusal("internal: expects a number");
  return info[i].As<Napi::Number>().DoubleValue();
}

double integerArgument(const Napi::CallbackInfo& info, size_t i, double low, double high) {
  const double value = numberArgument(info, i);
  if (!(value >= low && value <= high) || value != std::floor(value))
    throw Refusal("internal: argument " + std::to_string(i) + " is out of range");
  return value;
}

int slotArgument(const Napi::CallbackInfo& info, size_t i, const Session& session) {
  const double slot = numberArgument(info, i);
  if (!(slot >= 0 && slot < session.options.slots) || slot != std::floor(slot))
    throw Refusal("slot must be below " + std::to_string(session.options.slots) + "; got " +
                  std::to_string(slot));
  return static_cast<int>(slot);
}

Napi::Value startRun(const Napi::CallbackInfo& info, const std::shared_ptr<Program>& program,
                     const std::shared_ptr<Environment>& environment, Errand::Kind kind) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<Session>& session = program->session();
  if (!session) throw Refusal("the session is disposed of");
  Errand errand{kind};
  if (kind == Errand::Kind::time) {
    errand.instruction = static_cast<size_t>(
        integerArgument(info, 2, 0, static_cast<double>(program->instructions()) - 1));
    errand.repetitions = static_cast<int>(integerArgument(info, 3, 1, 1e6));
  }
  const int slot = slotArgument(info, 0, *session);
  if (!info[1].IsTypedArray() ||
      info[1].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array)
    throw Refusal("scalars must be a Float64Array");
  const auto given = info[1].As<Napi::Float64Array>();
  if (static_cast<int64_t>(given.ElementLength()) != program->scalars())
    throw Refusal("expects " + std::to_string(program->scalars()) + " scalars; got " +
                  std::to_string(given.ElementLength()));
  const auto nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
  auto* job = new Job{program,
                      environment,
                      Napi::Promise::Deferred::New(env),
                      Napi::ThreadSafeFunction::New(env, nothing, "lrscope run", 0, 1),
                      slot,
                      std::vector<double>(given.Data(), given.Data() + given.ElementLength()),
                      errand,
                      {},
                      {},
                      {},
                      -1,
                      false};
  const Napi::Promise promise = job->deferred.Promise();
  // Hooks run in reverse order: this one before the one that closes `settle`.
  napi_add_env_cleanup_hook(env, Job::closeEnvironment, job);
  session->beginRun();
  environment->begin();
  Executor::instance().enqueue([job] {
    const auto environment = job->environment;
    if (!environment->abandon) job->execute();
    const auto session = job->program->session();
    if (environment->abandon) job->program.reset();
    session->endRun();
    Napi::ThreadSafeFunction settle = job->settle;
    const napi_status called =
        environment->abandon
            ? napi_closing
            : settle.BlockingCall(job, [](Napi::Env env, Napi::Function, Job* done) {
                const std::unique_ptr<Job> owned(done);
                if (env == nullptr) return;
                napi_remove_env_cleanup_hook(env, Job::closeEnvironment, done);
                owned->resolve(env);
              });
    // An environment that is closing takes nothing any more. The job's promise belongs to it, and
    // is left to it.
    if (called == napi_ok) settle.Release();
    environment->end();
  });
  return promise;
}

class ProgramObject {
 public:
  static Napi::Object create(Napi::Env env, std::shared_ptr<Program> program,
                             std::shared_ptr<Environment> environment) {
    Napi::Object object = Napi::Object::New(env);
    const std::pair<const char*, Errand::Kind> errands[] = {{"run", Errand::Kind::run},
                                                            {"profile", Errand::Kind::profile},
                                                            {"time", Errand::Kind::time}};
    for (const auto& [name, kind] : errands)
      object.Set(name, Napi::Function::New(
                           env,
                           [program, environment, kind = kind](const Napi::CallbackInfo& info) {
                             return guarded(info.Env(), [&] {
                               return startRun(info, program, environment, kind);
                             });
                           },
                           name));
    return object;
  }
};

// A typed array over memory that the array keeps alive.
template <class Array>
Napi::Value arrayOver(Napi::Env env, std::shared_ptr<Block> block) {
  auto* keeper = new std::shared_ptr<Block>(block);
  const Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(
      env, block->data(), block->size(),
      [](Napi::Env, void*, std::shared_ptr<Block>* held) { delete held; }, keeper);
  return Array::New(env, block->size() / 4, buffer, 0);
}

void initialize(float* to, const Operand& operand, const Initializer& initializer, uint32_t seed,
                uint32_t ordinal) {
  const LayoutMap map(operand.layout, operand.shape);
  std::fill(to, to + map.paddedElements(), 0.0f);
  Words4 words{};
  map.forEach([&](int64_t i, int64_t offset) {
    if (i % 4 == 0 && initializer.kind != Initializer::Kind::constant)
      words = philox({static_cast<uint32_t>(i / 4), ordinal, 0, 0}, seed, kInitialise);
    double value = initializer.first;
    if (initializer.kind == Initializer::Kind::uniform) {
      value = initializer.first + (initializer.second - initializer.first) * uniform(words[i % 4]);
    } else if (initializer.kind == Initializer::Kind::normal) {
      constexpr double kTwoPi = 6.283185307179586476925286766559;
      const uint32_t* pair = &words[i % 4 / 2 * 2];
      const double radius = std::sqrt(-2 * std::log((pair[0] + 1.0) / 4294967296.0));
      const double angle = kTwoPi * uniform(pair[1]);
      value = initializer.first * radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
    }
    to[offset] = static_cast<float>(value);
  });
}

class SessionObject {
 public:
  SessionObject(std::shared_ptr<Session> session, std::shared_ptr<Environment> environment)
      : session_(std::move(session)), environment_(std::move(environment)) {}

  Napi::Value load(const Napi::CallbackInfo& info) {
    const auto session = alive();
    // oneDNN writes padding when a primitive's memory is made.
    session->waitUntilIdle();
    const auto program =
        std::make_shared<Program>(session, toProgramSpec(objectArgument(info, 0), *session));
    programs_.push_back(program);
    return ProgramObject::create(info.Env(), program, environment_);
  }

  Napi::Value images(const Napi::CallbackInfo& info) {
    const auto session = alive();
    return arrayOver<Napi::Float32Array>(info.Env(),
                                         session->images(slotArgument(info, 0, *session)));
  }

  Napi::Value labels(const Napi::CallbackInfo& info) {
    const auto session = alive();
    return arrayOver<Napi::Int32Array>(info.Env(),
                                       session->labels(slotArgument(info, 0, *session)));
  }

  Napi::Value initialise(const Napi::CallbackInfo& info) {
    const Operand operand = quietOperand(info);
    expectType(operand, DType::f32);
    lrscope::initialize(reinterpret_cast<float*>(operand.fixed), operand,
                        toInitializer(objectArgument(info, 1)), toUint32(numberArgument(info, 2)),
                        toUint32(numberArgument(info, 3)));
    return info.Env().Undefined();
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    const Operand operand = quietOperand(info);
    Napi::Float32Array values = Napi::Float32Array::New(info.Env(), operand.elements());
    float* to = values.Data();
    withElement(operand, [&](auto element) {
      const auto* from = reinterpret_cast<const decltype(element)*>(operand.fixed);
      LayoutMap(operand.layout, operand.shape).forEach([&](int64_t i, int64_t offset) {
        to[i] = wide(from[offset]);
      });
    });
    return values;
  }

  Napi::Value write(const Napi::CallbackInfo& info) {
    const Operand operand = quietOperand(info);
    if (!info[1].IsTypedArray() ||
        info[1].As<Napi::TypedArray>().TypedArrayType() != napi_float32_array)
      throw Refusal("values must be a Float32Array");
    const auto values = info[1].As<Napi::Float32Array>();
    if (static_cast<int64_t>(values.ElementLength()) != operand.elements())
      throw Refusal("expects " + std::to_string(operand.elements()) + " values; got " +
                    std::to_string(values.ElementLength()));
    const LayoutMap map(operand.layout, operand.shape);
    const float* from = values.Data();
    withElement(operand, [&](auto element) {
      using T = decltype(element);
      auto* to = reinterpret_cast<T*>(operand.fixed);
      std::fill(to, to + map.paddedElements(), T{});
      map.forEach([&](int64_t i, int64_t offset) { to[offset] = narrow<T>(from[i]); });
    });
    return info.Env().Undefined();
  }

  Napi::Value dispose(const Napi::CallbackInfo& info) {
    if (session_) {
      session_->waitUntilIdle();
      session_.reset();
      for (const auto& program : programs_)
        if (const auto alive = program.lock()) alive->release();
      programs_.clear();
    }
    return info.Env().Undefined();
  }

 private:
  const std::shared_ptr<Session>& alive() const {
    if (!session_) throw Refusal("the session is disposed of");
    return session_;
  }

  // An operand that may be touched from this thread now.
  Operand quietOperand(const Napi::CallbackInfo& info) const {
    const auto& session = alive();
    const Operand operand = toOperand(objectArgument(info, 0), *session);
    if (!operand.fixed)
      throw Refusal("images and labels are reached through images() and labels()");
    const bool floating = operand.dtype == DType::f32 || operand.dtype == DType::bf16;
    if (!floating || operand.layout == "opaque")
      throw Refusal("only f32 and bf16 buffers are read and written");
    if (session->busy()) throw Refusal("a run is in flight; await it first");
    return operand;
  }

  std::shared_ptr<Session> session_;
  std::shared_ptr<Environment> environment_;
  std::vector<std::weak_ptr<Program>> programs_;
};

Napi::Value createSession(const Napi::CallbackInfo& info,
                          const std::shared_ptr<Environment>& environment) {
  const Napi::Env env = info.Env();
  const auto session = std::make_shared<SessionObject>(
      std::make_shared<Session>(toSessionOptions(objectArgument(info, 0))), environment);
  Napi::Object object = Napi::Object::New(env);
  const auto method = [&](const char* name,
                          Napi::Value (SessionObject::*call)(const Napi::CallbackInfo&)) {
    object.Set(name, Napi::Function::New(
                         env,
                         [session, call](const Napi::CallbackInfo& arguments) {
                           return guarded(arguments.Env(),
                                          [&] { return (session.get()->*call)(arguments); });
                         },
                         name));
  };
  method("load", &SessionObject::load);
  method("images", &SessionObject::images);
  method("labels", &SessionObject::labels);
  method("initialize", &SessionObject::initialise);
  method("read", &SessionObject::read);
  method("write", &SessionObject::write);
  method("dispose", &SessionObject::dispose);
  return object;
}

Napi::Value engineInfo(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("onednn", onednn::version());
  object.Set("isa", onednn::isa());
  object.Set("bf16", onednn::multipliesBf16());
  object.Set("processors", static_cast<double>(omp_get_num_procs()));
  return object;
}

Napi::Value chooseLayouts(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    LayoutQuestion question = toLayoutQuestion(objectArgument(info, 0));
    question.emulateBf16 = info[2].IsBoolean() && info[2].As<Napi::Boolean>().Value();
    const double threads = numberArgument(info, 1);
    if (!(threads >= 1 && threads <= 1024)) throw Refusal("threads must be in [1, 1024]");
    const ThreadScope scope(static_cast<int>(threads));
    return fromLayoutAnswer(info.Env(), layoutsFor(question));
  });
}

}  // namespace

void exportEngine(Napi::Env env, Napi::Object exports) {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2"))
    throw Napi::Error::New(env,
                           "this processor lacks AVX2, which the native engine is compiled for");
#endif
  auto environment = std::make_shared<Environment>();
  exports.Set("engineInfo", Napi::Function::New(env, engineInfo, "engineInfo"));
  exports.Set("chooseLayouts", Napi::Function::New(env, chooseLayouts, "chooseLayouts"));
  exports.Set("createSession",
              Napi::Function::New(
                  env,
                  [environment](const Napi::CallbackInfo& info) {
                    return guarded(info.Env(), [&] { return createSession(info, environment); });
                  },
                  "createSession"));
}

}  // namespace lrscope
