// The handle of a cache that another part of the module is given.
#pragma once
#include <napi.h>

#include <memory>

#include "images/cache.h"

namespace lrscope {

// The cache behind a handle that openCache gave, else refused.
std::shared_ptr<ImageCache> cacheOf(const Napi::Value& handle);

}  // namespace lrscope
