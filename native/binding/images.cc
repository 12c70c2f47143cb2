// The data room's part of the module.
#include <napi.h>

#include "binding/augment.h"
#include "binding/cache.h"
#include "binding/decode.h"
#include "binding/exports.h"
#include "binding/isolation.h"

namespace lrscope {

void exportImages(Napi::Env env, Napi::Object exports) {
  exportDecoding(env, exports);
  exportCache(env, exports);
  exportAugmentation(env, exports);
  exportIsolation(env, exports);
}

}  // namespace lrscope
