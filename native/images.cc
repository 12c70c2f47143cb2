// The data room's part of the module.
#include <napi.h>

#include "augment_binding.h"
#include "cache_binding.h"
#include "decode_binding.h"
#include "exports.h"
#include "isolation_binding.h"

namespace lrscope {

void exportImages(Napi::Env env, Napi::Object exports) {
  exportDecoding(env, exports);
  exportCache(env, exports);
  exportAugmentation(env, exports);
  exportIsolation(env, exports);
}

}  // namespace lrscope
