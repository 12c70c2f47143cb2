// What a kernel is: how it answers the layout pass, and how it becomes a step of a program.
// One file of kernels/ holds one family of instructions (src/program/kernels.ts names them).
#pragma once
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/bfloat16.h"
#include "engine/tensor.h"

namespace lrscope {

using Pair = std::array<int64_t, 2>;

class Attributes {
 public:
  using Value = std::variant<double, bool, std::string, std::vector<double>>;

  void set(const std::string& name, Value value) { values_[name] = std::move(value); }
  double number(const char* name) const;
  int64_t integer(const char* name) const;
  int64_t integerOr(const char* name, int64_t fallback) const;   // where it is absent
  bool flag(const char* name) const;                             // false when absent
  Pair pair(const char* name) const;                             // [h, w]
  Pair pairOr(const char* name, Pair fallback) const;            // where it is absent
  void expectOnly(const std::vector<std::string>& names) const;  // refuses every other one

 private:
  const Value* find(const char* name) const;
  std::map<std::string, Value> values_;
};

enum class Region { persistent, arena, images, labels, outputs };
constexpr int kRegions = 5;

// What one run may use.
struct RunContext {
  std::array<char*, kRegions> base;  // images and labels: of the run's slot
  const double* scalars;
  uint32_t seed;
  uint32_t update;
};

// A buffer as an operand. `fixed` is null in the regions whose place the run decides.
struct Operand : Tensor {
  std::string name;
  size_t bytes = 0;
  Region region = Region::arena;
  size_t offset = 0;
  char* fixed = nullptr;

  char* at(const RunContext& run) const {
    return fixed ? fixed : run.base[static_cast<int>(region)] + offset;
  }
  template <class T>
  T* data(const RunContext& run) const {
    return reinterpret_cast<T*>(at(run));
  }
  float* f32(const RunContext& run) const { return data<float>(run); }
};

struct LayoutQuestion {
  std::string kind;
  Attributes attributes;
  std::vector<Tensor> inputs, outputs;
  // The implementation that the answer must be; "" leaves it to the rule table.
  std::string wanted;
  // Products of bf16 are to be emulated, see emulated.h.
  bool emulateBf16 = false;
};

struct LayoutAnswer {
  std::vector<std::string> inputs, outputs;
  std::vector<size_t> outputBytes;
  size_t scratchBytes = 0;
  std::string implementation = "lrscope";
};

struct OptimizerProgram;

// An instruction with its operands resolved.
struct Site {
  std::string kind, layer, implementation;
  Attributes attributes;
  std::vector<Operand> inputs, outputs;
  Operand scratch;  // bytes == 0 when there is none
  std::shared_ptr<const OptimizerProgram> optimizer;
  int64_t scalars = 0;  // of the program
};

// One instruction, ready to run. `run` allocates no tensor memory.
class Step {
 public:
  virtual ~Step() = default;
  virtual void run(const RunContext& run) = 0;
};

struct Kernel {
  LayoutAnswer (*choose)(const LayoutQuestion&);
  std::unique_ptr<Step> (*build)(const Site&);
  // Whether there is more than one implementation, and `choose` heeds LayoutQuestion::wanted.
  bool alternatives = false;
  // Whether it is a product by oneDNN, which has bf16 on some processors only.
  bool multiplies = false;
};

// What an instruction of a kind may hold. src/program/kernels.ts says it for every engine, and a
// test compares: operands that may be absent are the last of their list.
struct Signature {
  std::array<size_t, 2> inputs, outputs;  // the least and the most of them
  std::vector<std::string> attributes;
};

// Of every kind that the engine has a kernel for: kernels/table.cc.
std::map<std::string, Signature> signatures();

// The kernel's answer; refuses a kind that the engine does not know, other operands or attributes
// than its signature allows, and a wanted implementation where the kind has but one.
LayoutAnswer layoutsFor(const LayoutQuestion& question);

// The instruction, ready to run, in the implementation that it names.
std::unique_ptr<Step> stepOf(const Site& site);

// A step from a function of the run.
template <class Work>
std::unique_ptr<Step> makeStep(Work work) {
  struct Lambda final : Step {
    Work work;
    explicit Lambda(Work w) : work(std::move(w)) {}
    void run(const RunContext& run) override { work(run); }
  };
  return std::make_unique<Lambda>(std::move(work));
}

// Fills outputBytes of an answer whose layouts are known; opaque outputs keep what is there.
LayoutAnswer withBytes(const LayoutQuestion& question, LayoutAnswer answer);

// work(T{}), T being the type that an activation is stored as; refuses what is no number.
template <class Work>
auto withElement(const Tensor& tensor, Work work) -> decltype(work(float{})) {
  if (tensor.dtype == DType::f32) return work(float{});
  if (tensor.dtype == DType::bf16) return work(Bf16{});
  throw Refusal("takes f32 or bf16 here");
}

// Checks that guard memory; each refuses with what was expected and what was found. The number of
// operands is checked by the table, before `choose` and `build`.
void expectShape(const Operand& operand, const std::vector<int64_t>& shape);
void expectLayout(const Operand& operand, const std::string& layout);
void expectType(const Operand& operand, DType dtype);
void expectScratch(const Site& site, size_t bytes);
// The same shape, layout and type, f32 or bf16.
void expectAlike(const Operand& a, const Operand& b);
// (count), f32, plain.
void expectVector(const Operand& operand, int64_t count);

// The layout that this machine's convolutions like their activations of a type in, or "abcd" for so
// few channels that blocking wastes memory.
std::string activationLayout(int64_t channels, DType dtype);

// A oneDNN primitive with its arguments. Only plain layouts may lie in a region whose place
// changes between runs: placing a blocked one makes oneDNN write its padding.
class PrimitiveStep final : public Step {
 public:
  PrimitiveStep(dnnl::primitive primitive,
                const std::vector<std::pair<int, const Operand*>>& operands, const Operand& scratch,
                const onednn::Desc& scratchDesc);
  void run(const RunContext& run) override;

 private:
  struct Moving {
    dnnl::memory memory;
    Operand operand;
  };
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
  std::vector<Moving> moving_;
};

}  // namespace lrscope
