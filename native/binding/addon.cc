// The addon's export list, and what one environment of JavaScript needs before it.
#include <dlfcn.h>
#include <napi.h>

#include "binding/environment.h"
#include "binding/exports.h"

// The executor's thread and OpenMP's outlive the worker that first needed them. Node unloads a
// module with the last worker that loaded it, so that it would be gone under their feet.
static void stayLoaded() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&stayLoaded), &self) != 0)
    dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE | RTLD_NOLOAD);
}

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  stayLoaded();
  lrscope::Environment::create(env);
  lrscope::exportEngine(env, exports);
  lrscope::exportImages(env, exports);
  lrscope::exportBandwidth(env, exports);
  return exports;
}

NODE_API_MODULE(lrscope, initialise)
