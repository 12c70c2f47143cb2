// The engine's exports: programs, sessions, layouts.
#include <napi.h>

#include "exports.h"

namespace lrscope {

void exportEngine(Napi::Env env, Napi::Object exports) {}

}  // namespace lrscope
