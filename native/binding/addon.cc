// The addon's export list, and what one environment of JavaScript needs before it.
#include <dlfcn.h>
#include <napi.h>

#include "binding/environment.h"
#include "binding/exports.h"
#include "core/refusal.h"

// The executor's thread and OpenMP's outlive the worker that first needed them. Node unloads a
// module with the last worker that loaded it, so that it would be gone under their feet.
static void stayLoaded() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&stayLoaded), &self) != 0)
    dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE | RTLD_NOLOAD);
}

static void expectProcessor() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
    throw lrscope::Refusal("this processor lacks AVX2, which the native engine is compiled for");
#endif
}

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  expectProcessor();
  stayLoaded();
  lrscope::Environment::create(env);
  lrscope::exportEngine(exports);
  lrscope::exportBandwidth(exports);
  lrscope::exportDecoding(exports);
  lrscope::exportCache(exports);
  lrscope::exportAugmentation(exports);
  lrscope::exportIsolation(exports);
  return exports;
}

NODE_API_MODULE(lrscope, initialise)
