// The optimizer's part of a program, from JavaScript.
#include "binding/convert_values.h"
#include "optimizer/program.h"

namespace lrscope {

namespace {

VectorOperand toVectorOperand(const Napi::Value& value) {
  // An operand that is absent is never looked at; slot 0 always exists.
  if (!value.IsObject()) return {true, 0};
  const auto object = value.As<Napi::Object>();
  if (object.Has("slot")) return {true, getIndex(object, "slot")};
  return {false, getIndex(object, "register")};
}

// An optional list of segments into a phase or scalar state.
template <class Part>
void readSegments(const Napi::Object& object, Part& part) {
  part.allSegments = !get(object, "segments").IsArray();
  if (!part.allSegments) part.segments = toIndices(readArray(object, "segments"));
}

void readMatrixPhase(const Napi::Object& object, Phase& phase) {
  phase.matrix = oneOf<MatrixOp>(readString(object, "operation"),
                                 {{"newtonSchulz", MatrixOp::newtonSchulz},
                                  {"rowMean", MatrixOp::rowMean},
                                  {"columnMean", MatrixOp::columnMean},
                                  {"spreadRows", MatrixOp::spreadRows},
                                  {"spreadColumns", MatrixOp::spreadColumns}},
                                 "matrix operation");
  phase.source = getIndex(object, "source");
  phase.target = getIndex(object, "target");
  if (phase.matrix != MatrixOp::newtonSchulz) return;
  const Napi::Object attributes = readObject(object, "attributes");
  const Napi::Array coefficients = readArray(attributes, "coefficients");
  if (coefficients.Length() != 3) throw mistyped("coefficients", "three numbers");
  for (uint32_t i = 0; i < 3; ++i) phase.coefficients[i] = numberAt(coefficients, i);
  phase.steps = static_cast<int>(readInteger(attributes, "steps", 0, 100));
  phase.epsilon = readNumber(attributes, "epsilon");
}

Phase toPhase(const Napi::Object& object) {
  Phase phase;
  readSegments(object, phase);
  if (oneOf<bool>(readString(object, "kind"), {{"elementwise", false}, {"matrix", true}},
                  "phase")) {
    readMatrixPhase(object, phase);
    return phase;
  }
  if (object.Has("domain"))
    phase.domain = oneOf<Domain>(
        readString(object, "domain"),
        {{"parameter", Domain::parameter}, {"row", Domain::row}, {"column", Domain::column}},
        "domain");
  const Napi::Array code = readArray(object, "code");
  for (uint32_t i = 0; i < code.Length(); ++i) {
    const Napi::Object instruction = objectAt(code, i);
    phase.code.push_back({oneOf<VectorOp>(readString(instruction, "op"),
                                          {{"load", VectorOp::load},
                                           {"store", VectorOp::store},
                                           {"add", VectorOp::add},
                                           {"sub", VectorOp::sub},
                                           {"mul", VectorOp::mul},
                                           {"div", VectorOp::div},
                                           {"max", VectorOp::max},
                                           {"min", VectorOp::min},
                                           {"sqrt", VectorOp::sqrt},
                                           {"abs", VectorOp::abs},
                                           {"sign", VectorOp::sign},
                                           {"square", VectorOp::square},
                                           {"negate", VectorOp::negate},
                                           {"fill", VectorOp::fill}},
                                          "vector operation"),
                          getIndex(instruction, "target"), toVectorOperand(get(instruction, "a")),
                          toVectorOperand(get(instruction, "b"))});
  }
  const Napi::Array reductions = readArray(object, "reductions");
  for (uint32_t i = 0; i < reductions.Length(); ++i) {
    const Napi::Object reduction = objectAt(reductions, i);
    phase.reductions.push_back(
        {oneOf<ReductionOp>(readString(reduction, "op"),
                            {{"sum", ReductionOp::sum}, {"max", ReductionOp::max}}, "reduction"),
         getIndex(reduction, "register"),
         oneOf<bool>(readString(reduction, "scope"), {{"all", true}, {"tensor", false}}, "scope"),
         getIndex(reduction, "target")});
  }
  const Napi::Array scalarCode = readArray(object, "scalarCode");
  for (uint32_t i = 0; i < scalarCode.Length(); ++i) {
    const Napi::Object instruction = objectAt(scalarCode, i);
    const Napi::Value value = get(instruction, "value");
    phase.scalarCode.push_back({oneOf<ScalarOp>(readString(instruction, "op"),
                                                {{"add", ScalarOp::add},
                                                 {"sub", ScalarOp::sub},
                                                 {"mul", ScalarOp::mul},
                                                 {"div", ScalarOp::div},
                                                 {"max", ScalarOp::max},
                                                 {"min", ScalarOp::min},
                                                 {"sqrt", ScalarOp::sqrt},
                                                 {"abs", ScalarOp::abs},
                                                 {"constant", ScalarOp::constant},
                                                 {"positiveOr", ScalarOp::positiveOr}},
                                                "scalar operation"),
                                getIndex(instruction, "target"), getIndex(instruction, "a"),
                                getIndex(instruction, "b"),
                                value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0});
  }
  return phase;
}

}  // namespace

std::shared_ptr<OptimizerProgram> toOptimizer(const Napi::Object& object,
                                              const Operands& operands) {
  auto optimizer = std::make_shared<OptimizerProgram>();
  optimizer->registers = getIndex(object, "registers");
  optimizer->slots = getIndex(object, "slots");
  optimizer->segmentSlots = toIndices(readArray(object, "segmentSlots"));
  if (object.Has("runSlots")) {
    const Napi::Object run = readObject(object, "runSlots");
    optimizer->firstRunSlot = getIndex(run, "first");
    optimizer->runSlots = getIndex(run, "count");
  }
  if (object.Has("scalarStates")) {
    const Napi::Array states = readArray(object, "scalarStates");
    for (uint32_t i = 0; i < states.Length(); ++i) {
      const Napi::Object from = objectAt(states, i);
      ScalarState state{getIndex(from, "source"),
                        getIndex(from, "load"),
                        static_cast<int>(readInteger(from, "store", -1, 1 << 30)),
                        true,
                        {}};
      readSegments(from, state);
      optimizer->scalarStates.push_back(std::move(state));
    }
  }
  const Napi::Array phases = readArray(object, "phases");
  for (uint32_t i = 0; i < phases.Length(); ++i)
    optimizer->phases.push_back(toPhase(objectAt(phases, i)));
  const auto optionalOperand = [&](double id) {
    return id < 0 ? Operand() : operandOf(operands, id);
  };
  const Napi::Array segments = readArray(object, "segments");
  for (uint32_t i = 0; i < segments.Length(); ++i) {
    const Napi::Object from = objectAt(segments, i);
    const int64_t elements = readInteger(from, "elements", 0, kMaxElements);
    const auto extent = [&](const char* name, int64_t otherwise) {
      return from.Has(name) ? readInteger(from, name, 0, kMaxElements) : otherwise;
    };
    Segment segment{{operandOf(operands, readNumber(from, "parameter")),
                     operandOf(operands, readNumber(from, "gradient"))},
                    elements,
                    extent("rows", elements),
                    extent("columns", 1),
                    {}};
    for (const char* list : {"state", "scratch"}) {
      if (!from.Has(list)) continue;
      const Napi::Array ids = readArray(from, list);
      for (uint32_t j = 0; j < ids.Length(); ++j)
        segment.memory.push_back(optionalOperand(numberAt(ids, j)));
    }
    const Napi::Array scalars = readArray(from, "scalars");
    for (uint32_t j = 0; j < scalars.Length(); ++j) segment.scalars.push_back(numberAt(scalars, j));
    if (from.Has("ownSlots")) segment.ownSlots = getIndex(from, "ownSlots");
    optimizer->segments.push_back(std::move(segment));
  }
  return optimizer;
}

}  // namespace lrscope
