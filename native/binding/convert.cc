// Conversions of plain JavaScript objects: a program's every part is checked here, once, on its way
// in.
#include "binding/convert.h"

#include "binding/convert_values.h"
#include "optimizer/program.h"

namespace lrscope {

namespace {

void readTensor(const Napi::Object& object, Tensor& tensor) {
  const Napi::Array shape = readArray(object, "shape");
  if (shape.Length() < 1 || shape.Length() > 4)
    throw Refusal("internal: a tensor has a rank of 1 to 4");
  double elements = 1;
  for (uint32_t i = 0; i < shape.Length(); ++i) {
    tensor.shape.push_back(readInteger(shape.Get(i).As<Napi::Value>(), "an extent", 1, kMaxExtent));
    elements *= static_cast<double>(tensor.shape.back());
  }
  if (elements > static_cast<double>(kMaxElements))
    throw Refusal("internal: a tensor is too large");
  tensor.dtype = oneOf<DType>(
      readString(object, "dtype"),
      {{"f32", DType::f32}, {"bf16", DType::bf16}, {"i32", DType::i32}, {"u8", DType::u8}},
      "element type");
  tensor.layout = readString(object, "layout");
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
      const Napi::Array array = readArray(value, "an attribute");
      std::vector<double> list(array.Length());
      for (uint32_t j = 0; j < array.Length(); ++j) list[j] = numberAt(array, j);
      attributes.set(name, list);
    } else if (!value.IsUndefined()) {
      throw Refusal("internal: attribute " + name + " has a type that no instruction takes");
    }
  }
  return attributes;
}

Site toSite(const Napi::Object& instruction, const Operands& operands, int64_t scalars) {
  Site site;
  site.kind = readString(instruction, "kind");
  site.layer = readString(instruction, "layer");
  site.implementation = readString(instruction, "implementation");
  site.attributes = toAttributes(readObject(instruction, "attributes"));
  site.inputs = operandsOf(operands, readArray(instruction, "inputs"));
  site.outputs = operandsOf(operands, readArray(instruction, "outputs"));
  site.scalars = scalars;
  for (const Operand& output : site.outputs)
    if (output.region == Region::images || output.region == Region::labels)
      throw Refusal("\"" + output.name + "\" lies in an input region: it cannot be written");
  const double scratch = readNumber(instruction, "scratch");
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

LayoutQuestion toLayoutQuestion(const Napi::Object& request) {
  return {readString(request, "kind"),
          toAttributes(readObject(request, "attributes")),
          toTensors(readArray(request, "inputs")),
          toTensors(readArray(request, "outputs")),
          get(request, "wanted").IsString() ? readString(request, "wanted") : "",
          false};
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
    return static_cast<size_t>(readInteger(options, name, 0, kMaxBytes));
  };
  return {bytes("persistentBytes"),
          bytes("arenaBytes"),
          bytes("outputBytes"),
          bytes("imageBytes"),
          bytes("labelBytes"),
          static_cast<int>(readInteger(options, "slots", 1, 2)),
          static_cast<int>(readInteger(options, "threads", 1, 1024))};
}

Operand toOperand(const Napi::Object& buffer, const Session& session) {
  Operand operand;
  readTensor(buffer, operand);
  operand.name = readString(buffer, "name");
  operand.region = oneOf<Region>(readString(buffer, "region"),
                                 {{"persistent", Region::persistent},
                                  {"arena", Region::arena},
                                  {"images", Region::images},
                                  {"labels", Region::labels},
                                  {"outputs", Region::outputs}},
                                 "region");
  operand.bytes = static_cast<size_t>(readInteger(buffer, "bytes", 0, kMaxBytes));
  operand.offset = static_cast<size_t>(readInteger(buffer, "offset", 0, kMaxBytes));
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
  const Napi::Array buffers = readArray(program, "buffers");
  for (uint32_t i = 0; i < buffers.Length(); ++i) {
    const Napi::Object buffer = objectAt(buffers, i);
    operands.emplace(readInteger(buffer, "id", 0, 1 << 30), toOperand(buffer, session));
  }
  spec.scalars = readArray(program, "scalars").Length();
  if (spec.scalars < 2) throw Refusal("internal: a program's scalars begin with seed and update");
  const Napi::Array instructions = readArray(program, "instructions");
  for (uint32_t i = 0; i < instructions.Length(); ++i) {
    try {
      spec.sites.push_back(toSite(objectAt(instructions, i), operands, spec.scalars));
    } catch (const Refusal& refusal) {
      throw InstructionFailure(i, refusal.what());
    }
  }
  const Napi::Object outputs = readObject(program, "outputs");
  const Napi::Array names = outputs.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = names.Get(i).As<Napi::String>().Utf8Value();
    const Operand& operand = operandOf(operands, readNumber(outputs, name.c_str()));
    if (sizeOf(operand.dtype) != 4 || operand.layout != plainLayout(operand.shape.size()))
      throw Refusal("internal: output \"" + name + "\" must be plain f32 or i32");
    spec.outputs.emplace_back(name, operand);
  }
  return spec;
}

Initializer toInitializer(const Napi::Object& initializer) {
  const std::string kind = readString(initializer, "kind");
  if (kind == "constant") return {Initializer::Kind::constant, readNumber(initializer, "value"), 0};
  if (kind == "uniform")
    return {Initializer::Kind::uniform, readNumber(initializer, "low"),
            readNumber(initializer, "high")};
  if (kind == "normal") return {Initializer::Kind::normal, readNumber(initializer, "std"), 0};
  throw Refusal("internal: unknown initializer \"" + kind + "\"");
}

}  // namespace lrscope
