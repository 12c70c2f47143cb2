// One run of a program, on its way from JavaScript to the executor's thread and back.
#pragma once
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

// Any thread may destroy it.
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

  // Once the session is left: what was thrown, and else what was asked for.
  const std::exception_ptr& failure() const { return failure_; }
  Errand::Kind kind() const { return errand_.kind; }
  const Program::Outputs& outputs() const { return outputs_; }
  const std::vector<double>& milliseconds() const { return milliseconds_; }

 private:
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
