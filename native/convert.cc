// Conversions of plain JavaScript objects. Long because a program's every part is checked here,
// once, on its way in.
#include "convert.h"

#include <cmath>

#include "optimizer_program.h"

namespace lrscope {

namespace {

constexpr double kMaxBytes = 1ull << 46;
constexpr double kMaxExtent = 1ull << 31;
constexpr double kMaxElements = 1ull << 40;

Refusal mistyped(const char* name, const char* what) {
  return Refusal(std::string("internal: ") + name + " must be " + what);
}

Napi::Value get(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Napi::Value>();
}

Napi::Object getObject(const Napi::Object& object, const char* name) {
  const Napi::Value value = get(object, name);
  if (!value.IsObject()) throw mistyped(name, "an object");
  return value.As<Napi::Object>();
}

Napi::Array getArray(const Napi::Object& object, const char* name) {
  const Napi::Value value = get(object, name);
  if (!value.IsArray()) throw mistyped(name, "an array");
  return value.As<Napi::Array>();
}

Napi::Object objectAt(const Napi::Array& array, uint32_t i) {
  const Napi::Value value = array.Get(i).As<Napi::Value>();
  if (!value.IsObject()) throw Refusal("internal: expects an array of objects");
  return value.As<Napi::Object>();
}

double numberAt(const Napi::Array& array, uint32_t i) {
  const Napi::Value value = array.Get(i).As<Napi::Value>();
  if (!value.IsNumber()) throw Refusal("internal: expects an array of numbers");
  return value.As<Napi::Number>().DoubleValue();
}

int64_t integer(double value, double low, double high, const char* name) {
  if (!(value >= low && value <= high) || value != std::floor(value))
    throw Refusal(std::string("internal: ") + name + " must be an integer in range; got " +
                  std::to_string(value));
  return static_cast<int64_t>(value);
}

template <class T>
T oneOf(const std::string& value, std::initializer_list<std::pair<const char*, T>> table,
        const char* what) {
  for (const auto& [name, entry] : table)
    if (value == name) return entry;
  throw Refusal("internal: unknown " + std::string(what) + " \"" + value + "\"");
}

void readTensor(const Napi::Object& object, Tensor& tensor) {
  const Napi::Array shape = getArray(object, "shape");
  if (shape.Length() < 1 || shape.Length() > 4)
    throw Refusal("internal: a tensor has a rank of 1 to 4");
  double elements = 1;
  for (uint32_t i = 0; i < shape.Length(); ++i) {
    tensor.shape.push_back(integer(numberAt(shape, i), 1, kMaxExtent, "an extent"));
    elements *= static_cast<double>(tensor.shape.back());
  }
  if (elements > kMaxElements) throw Refusal("internal: a tensor is too large");
  tensor.dtype =
      oneOf<DType>(getString(object, "dtype"),
                   {{"f32", DType::f32}, {"i32", DType::i32}, {"u8", DType::u8}}, "element type");
  tensor.layout = getString(object, "layout");
}

std::vector<Tensor> toTensors(const Napi::Array& array) {
  std::vector<Tensor> tensors(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) readTensor(objectAt(array, i), tensors[i]);
  return tensors;
}

Attributes toAttributes(const Napi::Object& object) {
  Attributes attributes;
  const Napi::Array names = object.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = names.Get(i).As<Napi::String>().Utf8Value();
    const Napi::Value value = get(object, name.c_str());
    if (value.IsNumber()) {
      attributes.set(name, value.As<Napi::Number>().DoubleValue());
    } else if (value.IsBoolean()) {
      attributes.set(name, value.As<Napi::Boolean>().Value());
    } else if (value.IsString()) {
      attributes.set(name, value.As<Napi::String>().Utf8Value());
    } else if (value.IsArray()) {
      const auto array = value.As<Napi::Array>();
      std::vector<double> list(array.Length());
      for (uint32_t j = 0; j < array.Length(); ++j) list[j] = numberAt(array, j);
      attributes.set(name, list);
    } else if (!value.IsUndefined()) {
      throw Refusal("internal: attribute " + name + " has a type that no instruction takes");
    }
  }
  return attributes;
}

std::vector<int> toIndices(const Napi::Array& array) {
  std::vector<int> indices(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i)
    indices[i] = static_cast<int>(integer(numberAt(array, i), 0, 1 << 30, "an index"));
  return indices;
}

int getIndex(const Napi::Object& object, const char* name) {
  return static_cast<int>(getInteger(object, name, 0, 1 << 30));
}

using Operands = std::map<int64_t, Operand>;

const Operand& operandOf(const Operands& operands, double id) {
  const auto found = operands.find(static_cast<int64_t>(id));
  if (found == operands.end())
    throw Refusal("internal: there is no buffer " + std::to_string(static_cast<int64_t>(id)));
  return found->second;
}

std::vector<Operand> operandsOf(const Operands& operands, const Napi::Array& ids) {
  std::vector<Operand> list;
  list.reserve(ids.Length());
  for (uint32_t i = 0; i < ids.Length(); ++i) list.push_back(operandOf(operands, numberAt(ids, i)));
  return list;
}

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
  if (!part.allSegments) part.segments = toIndices(getArray(object, "segments"));
}

void readMatrixPhase(const Napi::Object& object, Phase& phase) {
  phase.matrix = oneOf<MatrixOp>(getString(object, "operation"),
                                 {{"newtonSchulz", MatrixOp::newtonSchulz},
                                  {"rowMean", MatrixOp::rowMean},
                                  {"columnMean", MatrixOp::columnMean},
                                  {"spreadRows", MatrixOp::spreadRows},
                                  {"spreadColumns", MatrixOp::spreadColumns}},
                                 "matrix operation");
  phase.source = getIndex(object, "source");
  phase.target = getIndex(object, "target");
  if (phase.matrix != MatrixOp::newtonSchulz) return;
  const Napi::Object attributes = getObject(object, "attributes");
  const Napi::Array coefficients = getArray(attributes, "coefficients");
  if (coefficients.Length() != 3) throw mistyped("coefficients", "three numbers");
  for (uint32_t i = 0; i < 3; ++i) phase.coefficients[i] = numberAt(coefficients, i);
  phase.steps = static_cast<int>(getInteger(attributes, "steps", 0, 100));
  phase.epsilon = getNumber(attributes, "epsilon");
}

Phase toPhase(const Napi::Object& object) {
  Phase phase;
  readSegments(object, phase);
  if (oneOf<bool>(getString(object, "kind"), {{"elementwise", false}, {"matrix", true}}, "phase")) {
    readMatrixPhase(object, phase);
    return phase;
  }
  if (object.Has("domain"))
    phase.domain = oneOf<Domain>(
        getString(object, "domain"),
        {{"parameter", Domain::parameter}, {"row", Domain::row}, {"column", Domain::column}},
        "domain");
  const Napi::Array code = getArray(object, "code");
  for (uint32_t i = 0; i < code.Length(); ++i) {
    const Napi::Object instruction = objectAt(code, i);
    phase.code.push_back({oneOf<VectorOp>(getString(instruction, "op"),
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
  const Napi::Array reductions = getArray(object, "reductions");
  for (uint32_t i = 0; i < reductions.Length(); ++i) {
    const Napi::Object reduction = objectAt(reductions, i);
    phase.reductions.push_back(
        {oneOf<ReductionOp>(getString(reduction, "op"),
                            {{"sum", ReductionOp::sum}, {"max", ReductionOp::max}}, "reduction"),
         getIndex(reduction, "register"),
         oneOf<bool>(getString(reduction, "scope"), {{"all", true}, {"tensor", false}}, "scope"),
         getIndex(reduction, "target")});
  }
  const Napi::Array scalarCode = getArray(object, "scalarCode");
  for (uint32_t i = 0; i < scalarCode.Length(); ++i) {
    const Napi::Object instruction = objectAt(scalarCode, i);
    const Napi::Value value = get(instruction, "value");
    phase.scalarCode.push_back({oneOf<ScalarOp>(getString(instruction, "op"),
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

std::shared_ptr<OptimizerProgram> toOptimizer(const Napi::Object& object,
                                              const Operands& operands) {
  auto optimizer = std::make_shared<OptimizerProgram>();
  optimizer->registers = getIndex(object, "registers");
  optimizer->slots = getIndex(object, "slots");
  optimizer->segmentSlots = toIndices(getArray(object, "segmentSlots"));
  if (object.Has("scalarStates")) {
    const Napi::Array states = getArray(object, "scalarStates");
    for (uint32_t i = 0; i < states.Length(); ++i) {
      const Napi::Object from = objectAt(states, i);
      ScalarState state{getIndex(from, "source"),
                        getIndex(from, "load"),
                        static_cast<int>(getInteger(from, "store", -1, 1 << 30)),
                        true,
                        {}};
      readSegments(from, state);
      optimizer->scalarStates.push_back(std::move(state));
    }
  }
  const Napi::Array phases = getArray(object, "phases");
  for (uint32_t i = 0; i < phases.Length(); ++i)
    optimizer->phases.push_back(toPhase(objectAt(phases, i)));
  const auto optionalOperand = [&](double id) {
    return id < 0 ? Operand() : operandOf(operands, id);
  };
  const Napi::Array segments = getArray(object, "segments");
  for (uint32_t i = 0; i < segments.Length(); ++i) {
    const Napi::Object from = objectAt(segments, i);
    const int64_t elements = getInteger(from, "elements", 0, kMaxElements);
    const auto extent = [&](const char* name, int64_t otherwise) {
      return from.Has(name) ? getInteger(from, name, 0, kMaxElements) : otherwise;
    };
    Segment segment{{operandOf(operands, getNumber(from, "parameter")),
                     operandOf(operands, getNumber(from, "gradient"))},
                    elements,
                    extent("rows", elements),
                    extent("columns", 1),
                    {}};
    for (const char* list : {"state", "scratch"}) {
      if (!from.Has(list)) continue;
      const Napi::Array ids = getArray(from, list);
      for (uint32_t j = 0; j < ids.Length(); ++j)
        segment.memory.push_back(optionalOperand(numberAt(ids, j)));
    }
    const Napi::Array scalars = getArray(from, "scalars");
    for (uint32_t j = 0; j < scalars.Length(); ++j) segment.scalars.push_back(numberAt(scalars, j));
    optimizer->segments.push_back(std::move(segment));
  }
  return optimizer;
}

Site toSite(const Napi::Object& instruction, const Operands& operands, int64_t scalars) {
  Site site;
  site.kind = getString(instruction, "kind");
  site.layer = getString(instruction, "layer");
  site.implementation = getString(instruction, "implementation");
  site.attributes = toAttributes(getObject(instruction, "attributes"));
  site.inputs = operandsOf(operands, getArray(instruction, "inputs"));
  site.outputs = operandsOf(operands, getArray(instruction, "outputs"));
  site.scalars = scalars;
  for (const Operand& output : site.outputs)
    if (output.region == Region::images || output.region == Region::labels)
      throw Refusal("\"" + output.name + "\" lies in an input region: it cannot be written");
  const double scratch = getNumber(instruction, "scratch");
  if (scratch >= 0) {
    site.scratch = operandOf(operands, scratch);
    if (!site.scratch.fixed || site.scratch.region == Region::outputs)
      throw Refusal("a scratchpad lies in the arena");
  }
  const Napi::Value optimizer = get(instruction, "optimizer");
  if (optimizer.IsObject()) site.optimizer = toOptimizer(optimizer.As<Napi::Object>(), operands);
  return site;
}

}  // namespace

double getNumber(const Napi::Object& object, const char* name) {
  const Napi::Value value = get(object, name);
  if (!value.IsNumber()) throw mistyped(name, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

int64_t getInteger(const Napi::Object& object, const char* name, double low, double high) {
  return integer(getNumber(object, name), low, high, name);
}

std::string getString(const Napi::Object& object, const char* name) {
  const Napi::Value value = get(object, name);
  if (!value.IsString()) throw mistyped(name, "a string");
  return value.As<Napi::String>().Utf8Value();
}

LayoutQuestion toLayoutQuestion(const Napi::Object& request) {
  return {getString(request, "kind"), toAttributes(getObject(request, "attributes")),
          toTensors(getArray(request, "inputs")), toTensors(getArray(request, "outputs")),
          get(request, "wanted").IsString() ? getString(request, "wanted") : ""};
}

Napi::Object fromLayoutAnswer(Napi::Env env, const LayoutAnswer& answer) {
  const auto strings = [&](const std::vector<std::string>& list) {
    Napi::Array array = Napi::Array::New(env, list.size());
    for (uint32_t i = 0; i < list.size(); ++i) array.Set(i, list[i]);
    return array;
  };
  Napi::Array bytes = Napi::Array::New(env, answer.outputBytes.size());
  for (uint32_t i = 0; i < answer.outputBytes.size(); ++i)
    bytes.Set(i, static_cast<double>(answer.outputBytes[i]));
  Napi::Object object = Napi::Object::New(env);
  object.Set("inputs", strings(answer.inputs));
  object.Set("outputs", strings(answer.outputs));
  object.Set("outputBytes", bytes);
  object.Set("scratchBytes", static_cast<double>(answer.scratchBytes));
  object.Set("implementation", answer.implementation);
  return object;
}

SessionOptions toSessionOptions(const Napi::Object& options) {
  const auto bytes = [&](const char* name) {
    return static_cast<size_t>(getInteger(options, name, 0, kMaxBytes));
  };
  return {bytes("persistentBytes"),
          bytes("arenaBytes"),
          bytes("outputBytes"),
          bytes("imageBytes"),
          bytes("labelBytes"),
          static_cast<int>(getInteger(options, "slots", 1, 2)),
          static_cast<int>(getInteger(options, "threads", 1, 1024))};
}

Operand toOperand(const Napi::Object& buffer, const Session& session) {
  Operand operand;
  readTensor(buffer, operand);
  operand.name = getString(buffer, "name");
  operand.region = oneOf<Region>(getString(buffer, "region"),
                                 {{"persistent", Region::persistent},
                                  {"arena", Region::arena},
                                  {"images", Region::images},
                                  {"labels", Region::labels},
                                  {"outputs", Region::outputs}},
                                 "region");
  operand.bytes = static_cast<size_t>(getInteger(buffer, "bytes", 0, kMaxBytes));
  operand.offset = static_cast<size_t>(getInteger(buffer, "offset", 0, kMaxBytes));
  const size_t region = session.regionBytes(operand.region);
  if (operand.offset % 64 != 0)
    throw Refusal("internal: \"" + operand.name + "\" is not 64-byte aligned");
  if (operand.bytes > region || operand.offset > region - operand.bytes)
    throw Refusal("internal: \"" + operand.name + "\" does not lie within its region (" +
                  std::to_string(region) + " bytes)");
  if (operand.layout != "opaque" && layoutBytes(operand) > operand.bytes)
    throw Refusal("internal: \"" + operand.name + "\" has " + std::to_string(operand.bytes) +
                  " bytes; its layout takes " + std::to_string(layoutBytes(operand)));
  operand.fixed = session.place(operand.region, operand.offset);
  return operand;
}

ProgramSpec toProgramSpec(const Napi::Object& program, const Session& session) {
  ProgramSpec spec;
  Operands operands;
  const Napi::Array buffers = getArray(program, "buffers");
  for (uint32_t i = 0; i < buffers.Length(); ++i) {
    const Napi::Object buffer = objectAt(buffers, i);
    operands.emplace(getInteger(buffer, "id", 0, 1 << 30), toOperand(buffer, session));
  }
  spec.scalars = getArray(program, "scalars").Length();
  if (spec.scalars < 2) throw Refusal("internal: a program's scalars begin with seed and update");
  const Napi::Array instructions = getArray(program, "instructions");
  for (uint32_t i = 0; i < instructions.Length(); ++i) {
    try {
      spec.sites.push_back(toSite(objectAt(instructions, i), operands, spec.scalars));
    } catch (const Refusal& refusal) {
      throw InstructionFailure(i, refusal.what());
    }
  }
  const Napi::Object outputs = getObject(program, "outputs");
  const Napi::Array names = outputs.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = names.Get(i).As<Napi::String>().Utf8Value();
    const Operand& operand = operandOf(operands, getNumber(outputs, name.c_str()));
    if (operand.dtype == DType::u8 || operand.layout != plainLayout(operand.shape.size()))
      throw Refusal("internal: output \"" + name + "\" must be plain f32 or i32");
    spec.outputs.emplace_back(name, operand);
  }
  return spec;
}

Initializer toInitializer(const Napi::Object& initializer) {
  const std::string kind = getString(initializer, "kind");
  if (kind == "constant") return {Initializer::Kind::constant, getNumber(initializer, "value"), 0};
  if (kind == "uniform")
    return {Initializer::Kind::uniform, getNumber(initializer, "low"),
            getNumber(initializer, "high")};
  if (kind == "normal") return {Initializer::Kind::normal, getNumber(initializer, "std"), 0};
  throw Refusal("internal: unknown initializer \"" + kind + "\"");
}

}  // namespace lrscope
