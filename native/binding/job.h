// One run of a program, on its way from JavaScript to the executor's thread and back.
#pragma once
#include <napi.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <vector>

#include "engine/program.h"

namespace lrscope {

// What is asked of a program: a step, a step with the time of each instruction, or the time of one
// instruction, repeated.
struct Errand {
  enum class Kind { run, profile, time } kind;
  size_t instruction = 0;
  int repetitions = 0;
};

// Owns nothing of JavaScript's, so that any thread may destroy it.
class Job {
 public:
  Job(std::shared_ptr<Program> program, int slot, std::vector<double> scalars, Errand errand)
      : program_(std::move(program)),
        session_(program_->session()),
        slot_(slot),
        scalars_(std::move(scalars)),
        errand_(errand) {
    session_->beginRun();
  }
  ~Job() { leaveSession(); }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  // On the executor's thread. Keeps what is thrown.
  void execute(const std::atomic<bool>& abandon) noexcept {
    try {
      const bool profile = errand_.kind == Errand::Kind::profile;
      if (errand_.kind == Errand::Kind::time)
        milliseconds_ =
            program_->time(slot_, scalars_, errand_.instruction, errand_.repetitions, abandon);
      else
        outputs_ = program_->run(slot_, scalars_, abandon, profile ? &milliseconds_ : nullptr);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  // The session no longer waits for this run. Called before JavaScript hears of its end.
  void leaveSession() {
    if (!session_) return;
    session_->endRun();
    session_.reset();
    program_.reset();
  }

  // On the JavaScript thread, once the session is left.
  Napi::Value result(Napi::Env env) const {
    if (failure_) std::rethrow_exception(failure_);
    if (errand_.kind != Errand::Kind::run) return toArray(env, milliseconds_);
    Napi::Object result = Napi::Object::New(env);
    for (const auto& [name, values] : outputs_) result.Set(name, toArray(env, values));
    return result;
  }

 private:
  static Napi::Float64Array toArray(Napi::Env env, const std::vector<double>& values) {
    Napi::Float64Array array = Napi::Float64Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
  }

  std::shared_ptr<Program> program_;
  std::shared_ptr<Session> session_;
  int slot_;
  std::vector<double> scalars_;
  Errand errand_;
  Program::Outputs outputs_;
  std::vector<double> milliseconds_;
  std::exception_ptr failure_;
};

}  // namespace lrscope
