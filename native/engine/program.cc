// Building and running programs.
#include "engine/program.h"

#include <chrono>
#include <cmath>

namespace lrscope {

uint32_t toUint32(double value) {
  if (!std::isfinite(value)) return 0;
  const double wrapped = std::fmod(std::trunc(value), 4294967296.0);
  return static_cast<uint32_t>(static_cast<int64_t>(wrapped));
}

namespace {

// What `work` throws becomes the failure of an instruction.
template <class Work>
void atInstruction(size_t index, Work work) {
  try {
    work();
  } catch (const dnnl::error& error) {
    throw InstructionFailure(index, std::string("oneDNN: ") + error.what());
  } catch (const Refusal& refusal) {
    throw InstructionFailure(index, refusal.what());
  }
}

}  // namespace

Program::Program(std::shared_ptr<Session> session, ProgramSpec spec)
    : session_(std::move(session)), outputs_(std::move(spec.outputs)), scalars_(spec.scalars) {
  const ThreadScope threads(session_->options.threads);
  steps_.reserve(spec.sites.size());
  for (size_t i = 0; i < spec.sites.size(); ++i)
    atInstruction(i, [&] { steps_.push_back(stepOf(spec.sites[i])); });
}

void Program::release() {
  steps_.clear();
  session_.reset();
}

namespace {

using Clock = std::chrono::steady_clock;

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

RunContext Program::begin(int slot, const std::vector<double>& scalars) const {
  useThreads(session_->options.threads);
  return {session_->bases(slot), scalars.data(), toUint32(scalars[0]), toUint32(scalars[1])};
}

void Program::runStep(size_t index, const RunContext& context) {
  atInstruction(index, [&] { steps_[index]->run(context); });
}

std::vector<double> Program::time(int slot, const std::vector<double>& scalars, size_t instruction,
                                  int repetitions, const std::atomic<bool>& abandon) {
  const RunContext context = begin(slot, scalars);
  std::vector<double> milliseconds;
  milliseconds.reserve(repetitions);
  for (int i = 0; i < repetitions && !abandon; ++i) {
    const auto start = Clock::now();
    runStep(instruction, context);
    milliseconds.push_back(millisecondsSince(start));
  }
  return milliseconds;
}

Program::Outputs Program::run(int slot, const std::vector<double>& scalars,
                              const std::atomic<bool>& abandon, std::vector<double>* milliseconds) {
  const RunContext context = begin(slot, scalars);
  for (size_t i = 0; i < steps_.size() && !abandon; ++i) {
    if (!milliseconds) {
      runStep(i, context);
      continue;
    }
    const auto start = Clock::now();
    runStep(i, context);
    milliseconds->push_back(millisecondsSince(start));
  }
  Outputs outputs;
  outputs.reserve(outputs_.size());
  for (const auto& [name, operand] : outputs_) {
    const int64_t count = operand.elements();
    std::vector<double> values(count);
    for (int64_t i = 0; i < count; ++i)
      values[i] = operand.dtype == DType::i32 ? operand.data<int32_t>(context)[i]
                                              : static_cast<double>(operand.f32(context)[i]);
    outputs.emplace_back(name, std::move(values));
  }
  return outputs;
}

}  // namespace lrscope
