// From JavaScript objects to the engine's structures. Everything that could corrupt memory is
// checked here: an operand that is returned lies within its region.
#pragma once
#include <napi.h>

#include "engine/program.h"
#include "engine/values.h"

namespace lrscope {

LayoutQuestion toLayoutQuestion(const Napi::Object& request);
Napi::Object fromLayoutAnswer(Napi::Env env, const LayoutAnswer& answer);
SessionOptions toSessionOptions(const Napi::Object& options);
Operand toOperand(const Napi::Object& buffer, const Session& session);
ProgramSpec toProgramSpec(const Napi::Object& program, const Session& session);

Initializer toInitializer(const Napi::Object& initializer);

}  // namespace lrscope
