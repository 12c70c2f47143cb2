// Adds the cache, its statistics and the synthetic source to the module.
#pragma once
#include <napi.h>

#include <memory>

#include "images/cache.h"

namespace lrscope {

// The cache behind a handle that openCache gave, else a JavaScript exception.
std::shared_ptr<ImageCache> cacheOf(const Napi::Value& handle);

void exportCache(Napi::Env env, Napi::Object exports);

}  // namespace lrscope
