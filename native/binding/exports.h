// What each part of the addon adds to the module's exports; addon.cc calls them all.
#pragma once
#include <napi.h>

namespace lrscope {

void exportEngine(Napi::Object exports);     // engine.cc: programs, sessions, layouts
void exportBandwidth(Napi::Object exports);  // bandwidth.cc: measureTriad
void exportDecoding(Napi::Object exports);   // decode.cc: files, images and blocks to pixels
void exportCache(Napi::Object exports);  // cache.cc: the cache, its statistics, synthetic images
void exportAugmentation(Napi::Object exports);  // augment.cc: the loader, normalising, warping
void exportIsolation(Napi::Object exports);     // isolation.cc: memory shared with a child, limits

}  // namespace lrscope
