// One run of a program, on its way from JavaScript to the executor's thread and back.
#pragma once
#include <napi.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "program.h"

namespace lrscope {

// Runs that one JavaScript environment has asked for. When it ends, they are abandoned between
// two instructions, and it waits for that: nothing may call into it afterwards.
struct Environment {
  std::atomic<bool> abandon{false};
  std::mutex mutex;
  std::condition_variable idle;
  int runs = 0;

  void begin() {
    const std::lock_guard<std::mutex> lock(mutex);
    ++runs;
  }
  void end() {
    const std::lock_guard<std::mutex> lock(mutex);
    if (--runs == 0) idle.notify_all();
  }
  void close() {
    abandon = true;
    std::unique_lock<std::mutex> lock(mutex);
    idle.wait(lock, [this] { return runs == 0; });
  }
};

// What is asked of a program: a step, a step with the time of each instruction, or the time of one
// instruction, repeated.
struct Errand {
  enum class Kind { run, profile, time } kind;
  size_t instruction = 0;
  int repetitions = 0;
};

struct Job {
  std::shared_ptr<Program> program;
  std::shared_ptr<Environment> environment;
  Napi::Promise::Deferred deferred;
  Napi::ThreadSafeFunction settle;
  int slot;
  std::vector<double> scalars;
  Errand errand;

  Program::Outputs outputs;
  std::vector<double> milliseconds;
  std::string failure;
  double failedInstruction = -1;
  bool failed = false;

  // On the executor's thread.
  void execute() {
    try {
      const bool profile = errand.kind == Errand::Kind::profile;
      if (errand.kind == Errand::Kind::time)
        milliseconds = program->time(slot, scalars, errand.instruction, errand.repetitions,
                                     environment->abandon);
      else
        outputs =
            program->run(slot, scalars, environment->abandon, profile ? &milliseconds : nullptr);
    } catch (const InstructionFailure& error) {
      failed = true;
      failure = error.what();
      failedInstruction = static_cast<double>(error.instruction);
    } catch (const std::exception& error) {
      failed = true;
      failure = error.what();
    }
  }

  // On the JavaScript thread.
  void resolve(Napi::Env env) const {
    if (failed) {
      Napi::Error error = Napi::Error::New(env, failure);
      if (failedInstruction >= 0) error.Set("instruction", failedInstruction);
      deferred.Reject(error.Value());
    } else if (errand.kind != Errand::Kind::run) {
      deferred.Resolve(toArray(env, milliseconds));
    } else {
      Napi::Object result = Napi::Object::New(env);
      for (const auto& [name, values] : outputs) result.Set(name, toArray(env, values));
      deferred.Resolve(result);
    }
  }

  static void closeEnvironment(void* job) {
    const auto environment = static_cast<Job*>(job)->environment;
    environment->close();
  }

  static Napi::Float64Array toArray(Napi::Env env, const std::vector<double>& values) {
    Napi::Float64Array array = Napi::Float64Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
  }
};

}  // namespace lrscope
