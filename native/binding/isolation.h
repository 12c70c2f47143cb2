// Adds what a decoding process needs to the module: memory shared with its parent, and limits.
#pragma once
#include <napi.h>

namespace lrscope {

void exportIsolation(Napi::Env env, Napi::Object exports);

}  // namespace lrscope
