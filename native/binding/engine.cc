// The engine's exports: engineInfo, engineKernels, chooseLayouts and createSession, whose objects
// the classes below are. What they do is in the files that they include; here values change
// language.
#include <napi.h>
#include <omp.h>

#include <cmath>

#include "binding/arguments.h"
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/errors.h"
#include "binding/exports.h"
#include "binding/typed_arrays.h"
#include "engine/executor.h"
#include "engine/job.h"
#include "kernels/kernels.h"

namespace lrscope {

namespace {

int slotArgument(const Napi::CallbackInfo& info, size_t i, const Session& session) {
  const double slot = readNumber(info[i], "slot");
  if (!(slot >= 0 && slot < session.options.slots) || slot != std::floor(slot))
    throw Refusal("slot must be below " + std::to_string(session.options.slots) + "; got " +
                  std::to_string(slot));
  return static_cast<int>(slot);
}

Napi::Value resultOf(Napi::Env env, const Job& job) {
  if (job.failure()) std::rethrow_exception(job.failure());
  if (job.kind() != Errand::Kind::run) return toFloat64Array(env, job.milliseconds());
  Napi::Object result = Napi::Object::New(env);
  for (const auto& [name, values] : job.outputs()) result.Set(name, toFloat64Array(env, values));
  return result;
}

Napi::Value startRun(const Napi::CallbackInfo& info, const std::shared_ptr<Program>& program,
                     Errand::Kind kind) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<Session> session = program->session();
  if (!session) throw Refusal("the session is disposed of");
  Errand errand{kind};
  if (kind == Errand::Kind::time) {
    errand.instruction = static_cast<size_t>(
        readInteger(info[2], "instruction", 0, static_cast<int64_t>(program->instructions()) - 1));
    errand.repetitions = static_cast<int>(readInteger(info[3], "repetitions", 1, 1000000));
  }
  const int slot = slotArgument(info, 0, *session);
  std::vector<double> scalars = copyOf<double>(info[1], "scalars");
  if (static_cast<int64_t>(scalars.size()) != program->scalars())
    throw Refusal("expects " + std::to_string(program->scalars()) + " scalars; got " +
                  std::to_string(scalars.size()));
  const auto environment = Environment::of(env);
  Executor& executor = Executor::instance();
  const auto job = std::make_shared<Job>(program, slot, std::move(scalars), errand);
  const auto [ticket, promise] =
      environment->begin(env, [job](Napi::Env env) { return resultOf(env, *job); });
  executor.enqueue(
      [job, environment, ticket = ticket] {
        const bool entered = environment->enter();
        if (entered) job->execute(environment->abandon);
        job->leaveSession();
        if (entered) environment->leave();
        environment->done(ticket);
      },
      environment->abandon);
  return promise;
}

Napi::Object programObject(Napi::Env env, const std::shared_ptr<Program>& program) {
  Napi::Object object = Napi::Object::New(env);
  const std::pair<const char*, Errand::Kind> errands[] = {
      {"run", Errand::Kind::run}, {"profile", Errand::Kind::profile}, {"time", Errand::Kind::time}};
  for (const auto& [name, kind] : errands)
    exportFunction(object, name, [program, kind = kind](const Napi::CallbackInfo& info) {
      return startRun(info, program, kind);
    });
  return object;
}

// A typed array over memory that the array keeps alive.
template <class Array>
Napi::Value arrayOver(Napi::Env env, const std::shared_ptr<Allocation>& block) {
  using Keeper = std::shared_ptr<Allocation>;
  auto keeper = std::make_unique<Keeper>(block);
  const Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(
      env, block->data(), block->size(), [](Napi::Env, void*, Keeper* held) { delete held; },
      keeper.get());
  keeper.release();
  Environment::of(env)->lend(std::shared_ptr<char>(block, block->data()), block->size());
  return Array::New(env, block->size() / 4, buffer, 0);
}

class SessionObject {
 public:
  explicit SessionObject(std::shared_ptr<Session> session) : session_(std::move(session)) {}

  Napi::Value load(const Napi::CallbackInfo& info) {
    const auto session = alive();
    ProgramSpec spec = toProgramSpec(readObject(info[0], "program"), *session);
    alive();
    // oneDNN writes padding when a primitive's memory is made.
    session->waitUntilIdle();
    const auto program = std::make_shared<Program>(session, std::move(spec));
    programs_.push_back(program);
    return programObject(info.Env(), program);
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
    const Operand operand = operandArgument(info);
    expectType(operand, DType::f32);
    const Initializer initializer = toInitializer(readObject(info[1], "initializer"));
    const uint32_t seed = toUint32(readNumber(info[2], "seed"));
    const uint32_t ordinal = toUint32(readNumber(info[3], "ordinal"));
    const auto session = quiet();
    lrscope::initialize(operand, initializer, {seed, ordinal}, session->options.threads);
    return info.Env().Undefined();
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    const Operand operand = operandArgument(info);
    const auto session = quiet();
    Napi::Float32Array values = Napi::Float32Array::New(info.Env(), operand.elements());
    readValues(operand, {0, operand.elements()}, values.Data(), session->options.threads);
    return values;
  }

  Napi::Value readPart(const Napi::CallbackInfo& info) {
    const Operand operand = operandArgument(info);
    const int64_t from = readInteger(info[1], "from", 0, operand.elements());
    const auto session = quiet();
    const View<float> into = viewOf<float>(info[2], "into");
    const auto count = static_cast<int64_t>(into.count);
    if (count > operand.elements() - from)
      throw Refusal("has " + std::to_string(operand.elements() - from) + " values from " +
                    std::to_string(from) + " on; got room for " + std::to_string(count));
    readValues(operand, {from, from + count}, into.data, session->options.threads);
    return info.Env().Undefined();
  }

  Napi::Value write(const Napi::CallbackInfo& info) {
    const Operand operand = operandArgument(info);
    const auto session = quiet();
    const View<float> values = viewOf<float>(info[1], "values");
    if (static_cast<int64_t>(values.count) != operand.elements())
      throw Refusal("expects " + std::to_string(operand.elements()) + " values; got " +
                    std::to_string(values.count));
    writeValues(operand, values.data, session->options.threads);
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
  std::shared_ptr<Session> alive() const {
    if (!session_) throw Refusal("the session is disposed of");
    return session_;
  }

  // An operand that can be read and written. Reading the argument may run JavaScript: whether the
  // session is alive and quiet is asked after it.
  Operand operandArgument(const Napi::CallbackInfo& info) const {
    const auto session = alive();
    const Operand operand = toOperand(readObject(info[0], "buffer"), *session);
    if (!operand.fixed)
      throw Refusal("images and labels are reached through images() and labels()");
    const bool floating = operand.dtype == DType::f32 || operand.dtype == DType::bf16;
    if (!floating || operand.layout == "opaque")
      throw Refusal("only f32 and bf16 buffers are read and written");
    return operand;
  }

  // The session, whose memory may be touched from this thread now.
  std::shared_ptr<Session> quiet() const {
    auto session = alive();
    if (session->busy()) throw Refusal("a run is in flight; await it first");
    return session;
  }

  std::shared_ptr<Session> session_;
  std::vector<std::weak_ptr<Program>> programs_;
};

Napi::Value createSession(const Napi::CallbackInfo& info) {
  const auto session = std::make_shared<SessionObject>(
      std::make_shared<Session>(toSessionOptions(readObject(info[0], "options"))));
  Napi::Object object = Napi::Object::New(info.Env());
  const auto method = [&](const char* name,
                          Napi::Value (SessionObject::*call)(const Napi::CallbackInfo&)) {
    exportFunction(object, name, [session, call](const Napi::CallbackInfo& arguments) {
      return (session.get()->*call)(arguments);
    });
  };
  method("load", &SessionObject::load);
  method("images", &SessionObject::images);
  method("labels", &SessionObject::labels);
  method("initialize", &SessionObject::initialise);
  method("read", &SessionObject::read);
  method("readPart", &SessionObject::readPart);
  method("write", &SessionObject::write);
  method("dispose", &SessionObject::dispose);
  return object;
}

Napi::Value engineInfo(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("onednn", onednn::version());
  object.Set("isa", onednn::isa());
  object.Set("bf16", onednn::multipliesBf16());
  object.Set("firstBlock", hasConvNormPool());
  object.Set("processors", static_cast<double>(omp_get_num_procs()));
  return object;
}

// [{ kind, inputs: [least, most], outputs: [least, most], attributes }]
Napi::Value engineKernels(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto counts = [&](const std::array<size_t, 2>& range) {
    Napi::Array array = Napi::Array::New(env, range.size());
    for (uint32_t i = 0; i < range.size(); ++i) array.Set(i, static_cast<double>(range[i]));
    return array;
  };
  Napi::Array kernels = Napi::Array::New(env);
  for (const auto& [kind, signature] : signatures()) {
    Napi::Array attributes = Napi::Array::New(env);
    for (const std::string& name : signature.attributes) attributes.Set(attributes.Length(), name);
    Napi::Object kernel = Napi::Object::New(env);
    kernel.Set("kind", kind);
    kernel.Set("inputs", counts(signature.inputs));
    kernel.Set("outputs", counts(signature.outputs));
    kernel.Set("attributes", attributes);
    kernels.Set(kernels.Length(), kernel);
  }
  return kernels;
}

Napi::Value chooseLayouts(const Napi::CallbackInfo& info) {
  LayoutQuestion question = toLayoutQuestion(readObject(info[0], "request"));
  question.emulateBf16 = info[2].IsBoolean() && info[2].As<Napi::Boolean>().Value();
  const ThreadScope scope(static_cast<int>(readInteger(info[1], "threads", 1, 1024)));
  return fromLayoutAnswer(info.Env(), layoutsFor(question));
}

}  // namespace

void exportEngine(Napi::Object exports) {
  exportFunction(exports, "engineInfo", engineInfo);
  exportFunction(exports, "engineKernels", engineKernels);
  exportFunction(exports, "chooseLayouts", chooseLayouts);
  exportFunction(exports, "createSession", createSession);
}

}  // namespace lrscope
