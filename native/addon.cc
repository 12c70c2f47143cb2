// The addon's export list, and nothing else.
#include <napi.h>

#include "exports.h"

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  lrscope::exportEngine(env, exports);
  lrscope::exportImages(env, exports);
  lrscope::exportBandwidth(env, exports);
  return exports;
}

NODE_API_MODULE(lrscope, initialise)
