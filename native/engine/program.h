// A program whose primitives are prepared, over the memory of a session.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/session.h"

namespace lrscope {

// A failure with the index of its instruction, for the message to name the layer.
struct InstructionFailure : Refusal {
  InstructionFailure(size_t index, const std::string& message)
      : Refusal(message), instruction(index) {}
  size_t instruction;
};

// The program as it arrives, checked against the session's regions.
struct ProgramSpec {
  std::vector<Site> sites;
  std::vector<std::pair<std::string, Operand>> outputs;
  int64_t scalars = 0;
};

class Program {
 public:
  // Builds every primitive. Throws InstructionFailure.
  Program(std::shared_ptr<Session> session, ProgramSpec spec);

  using Outputs = std::vector<std::pair<std::string, std::vector<double>>>;

  // On the executor's thread. With `milliseconds`, notes the time of each instruction there.
  // Returns early, with whatever is there, once `abandon` is set.
  Outputs run(int slot, const std::vector<double>& scalars, const std::atomic<bool>& abandon,
              std::vector<double>* milliseconds = nullptr);

  // On the executor's thread: one instruction so many times, and the milliseconds of each. Its
  // operands hold whatever is there. Returns early once `abandon` is set.
  std::vector<double> time(int slot, const std::vector<double>& scalars, size_t instruction,
                           int repetitions, const std::atomic<bool>& abandon);

  // Null once released.
  const std::shared_ptr<Session>& session() const { return session_; }
  // Lets go of the session's memory and of the primitives, while JavaScript still holds the object.
  void release();
  int64_t scalars() const { return scalars_; }
  size_t instructions() const { return steps_.size(); }

 private:
  RunContext begin(int slot, const std::vector<double>& scalars) const;
  void runStep(size_t index, const RunContext& context);

  std::shared_ptr<Session> session_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<std::pair<std::string, Operand>> outputs_;
  int64_t scalars_;
};

// A scalar that keys random draws: ToUint32 of JavaScript.
uint32_t toUint32(double value);

}  // namespace lrscope
