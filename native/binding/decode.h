// Adds decodeFiles, resampleImage and packImages to the module.
#pragma once
#include <napi.h>

#include "binding/arguments.h"

namespace lrscope {

void exportDecoding(Napi::Env env, Napi::Object exports);

}  // namespace lrscope
