// What the kernels share.
#include "engine/kernel.h"

#include <algorithm>
#include <cmath>

namespace lrscope {

const Attributes::Value* Attributes::find(const char* name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

void Attributes::expectOnly(const std::vector<std::string>& names) const {
  for (const auto& [name, value] : values_)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw Refusal("takes no attribute " + name);
}

double Attributes::number(const char* name) const {
  const Value* value = find(name);
  if (!value || !std::holds_alternative<double>(*value))
    throw Refusal(std::string("attribute ") + name + " must be a number");
  return std::get<double>(*value);
}

int64_t Attributes::integer(const char* name) const {
  const double value = number(name);
  if (value != std::floor(value) || std::abs(value) > 4294967295.0)
    throw Refusal(std::string("attribute ") + name + " must be an integer");
  return static_cast<int64_t>(value);
}

int64_t Attributes::integerOr(const char* name, int64_t fallback) const {
  return find(name) ? integer(name) : fallback;
}

bool Attributes::flag(const char* name) const {
  const Value* value = find(name);
  return value && std::holds_alternative<bool>(*value) && std::get<bool>(*value);
}

Pair Attributes::pair(const char* name) const {
  const Value* value = find(name);
  const auto* list = value ? std::get_if<std::vector<double>>(value) : nullptr;
  if (!list || list->size() != 2)
    throw Refusal(std::string("attribute ") + name + " must be [h, w]");
  Pair pair{};
  for (size_t i = 0; i < 2; ++i) {
    const double extent = (*list)[i];
    if (!(extent >= 0 && extent <= 65535) || extent != std::floor(extent))
      throw Refusal(std::string("attribute ") + name + " must hold integers from 0 to 65535");
    pair[i] = static_cast<int64_t>(extent);
  }
  return pair;
}

Pair Attributes::pairOr(const char* name, Pair fallback) const {
  return find(name) ? pair(name) : fallback;
}

LayoutAnswer withBytes(const LayoutQuestion& question, LayoutAnswer answer) {
  answer.outputBytes.resize(question.outputs.size());
  for (size_t i = 0; i < question.outputs.size(); ++i) {
    if (answer.outputs[i] == "opaque") continue;
    Tensor tensor = question.outputs[i];
    tensor.layout = answer.outputs[i];
    answer.outputBytes[i] = layoutBytes(tensor);
  }
  return answer;
}

void expectShape(const Operand& operand, const std::vector<int64_t>& shape) {
  if (operand.shape != shape)
    throw Refusal("\"" + operand.name + "\" must be " + formatShape(shape) + "; got " +
                  formatShape(operand.shape));
}

void expectLayout(const Operand& operand, const std::string& layout) {
  if (operand.layout != layout)
    throw Refusal("\"" + operand.name + "\" must have the layout \"" + layout + "\"; got \"" +
                  operand.layout + "\"");
}

void expectType(const Operand& operand, DType dtype) {
  if (operand.dtype != dtype)
    throw Refusal("\"" + operand.name + "\" has the wrong element type for this instruction");
}

void expectScratch(const Site& site, size_t bytes) {
  if (site.scratch.bytes < bytes)
    throw Refusal("needs a scratchpad of " + std::to_string(bytes) + " bytes; the program gives " +
                  std::to_string(site.scratch.bytes) +
                  " (was it compiled for other threads or another processor?)");
}

void expectAlike(const Operand& a, const Operand& b) {
  if (a.dtype != DType::bf16) expectType(a, DType::f32);
  expectType(b, a.dtype);
  expectShape(b, a.shape);
  expectLayout(b, a.layout);
}

void expectVector(const Operand& operand, int64_t count) {
  expectType(operand, DType::f32);
  expectShape(operand, {count});
  expectLayout(operand, "a");
}

PrimitiveStep::PrimitiveStep(dnnl::primitive primitive,
                             const std::vector<std::pair<int, const Operand*>>& operands,
                             const Operand& scratch, const onednn::Desc& scratchDesc)
    : primitive_(std::move(primitive)) {
  for (const auto& [argument, operand] : operands) {
    if (!operand->fixed && operand->layout != plainLayout(operand->shape.size()))
      throw Refusal("\"" + operand->name + "\" must have a plain layout in its region");
    dnnl::memory memory(descriptor(*operand), onednn::engine(),
                        operand->fixed ? operand->fixed : DNNL_MEMORY_NONE);
    if (!operand->fixed) moving_.push_back({memory, *operand});
    arguments_.emplace(argument, std::move(memory));
  }
  if (scratchDesc.get_size() > 0)
    arguments_.emplace(DNNL_ARG_SCRATCHPAD,
                       dnnl::memory(scratchDesc, onednn::engine(), scratch.fixed));
}

void PrimitiveStep::run(const RunContext& run) {
  for (Moving& moving : moving_) moving.memory.set_data_handle(moving.operand.at(run));
  primitive_.execute(onednn::stream(), arguments_);
  onednn::stream().wait();
}

}  // namespace lrscope
