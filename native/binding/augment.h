// Adds the loader, normaliseImages and warpImage to the module.
#pragma once
#include <napi.h>

namespace lrscope {

void exportAugmentation(Napi::Env env, Napi::Object exports);

}  // namespace lrscope
