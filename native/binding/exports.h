// What each part of the addon adds to the module's exports; addon.cc calls them all.
#pragma once
#include <napi.h>

namespace lrscope {

void exportEngine(Napi::Env env, Napi::Object exports);  // engine.cc: programs, sessions, layouts
void exportImages(Napi::Env env, Napi::Object exports);  // images.cc: decoding, cache, augmentation
void exportBandwidth(Napi::Env env, Napi::Object exports);  // bandwidth.cc: measureTriad

}  // namespace lrscope
