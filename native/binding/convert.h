// From JavaScript objects to the engine's structures. Everything that could corrupt memory is
// checked here: an operand that is returned lies within its region.
#pragma once
#include <napi.h>

#include "engine/program.h"

namespace lrscope {

LayoutQuestion toLayoutQuestion(const Napi::Object& request);
Napi::Object fromLayoutAnswer(Napi::Env env, const LayoutAnswer& answer);
SessionOptions toSessionOptions(const Napi::Object& options);
Operand toOperand(const Napi::Object& buffer, const Session& session);
ProgramSpec toProgramSpec(const Napi::Object& program, const Session& session);

// An Initializer of src/core/initializer.ts.
struct Initializer {
  enum class Kind { constant, uniform, normal } kind;
  double first, second;  // value | low, high | std
};
Initializer toInitializer(const Napi::Object& initializer);

// Typed access to a property; refuses with its name.
double getNumber(const Napi::Object& object, const char* name);
int64_t getInteger(const Napi::Object& object, const char* name, double low, double high);
std::string getString(const Napi::Object& object, const char* name);

}  // namespace lrscope
