// The machine's memory bandwidth, as STREAM's triad finds it (McCalpin, 1995): a = b + s c over
// arrays far larger than the caches, results written past them, so that 3 x 4 bytes an element are
// all that moves.
#pragma once
#include <atomic>
#include <cstdint>
#include <vector>

namespace lrscope {

// Floats of a vector: the arrays have a multiple of it.
constexpr int64_t kTriadStep = 8;

// Milliseconds of each pass over arrays of so many floats, fewer once `abandon` is set. On the
// executor's thread, so that it takes turns with programs and uses their OpenMP pool.
std::vector<double> timeTriad(int64_t elements, int repetitions, int threads,
                              const std::atomic<bool>& abandon);

}  // namespace lrscope
