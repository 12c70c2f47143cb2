#include "kernels/triad.h"

#include <omp.h>

#include <chrono>

#include "engine/session.h"
#include "kernels/simd/lanes.h"

namespace lrscope {

static_assert(kTriadStep == kVec);

namespace {

void triad(float* a, const float* b, const float* c, int64_t vectors) {
#pragma omp parallel
  {
    const int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
    const Whole io;
    for (int64_t i = vectors * me / threads; i < vectors * (me + 1) / threads; ++i)
      put<true>(io, a + i * kVec, io.load(b + i * kVec) + 3.0f * io.load(c + i * kVec));
    settle();
  }
}

}  // namespace

std::vector<double> timeTriad(int64_t elements, int repetitions, int threads,
                              const std::atomic<bool>& abandon) {
  using Clock = std::chrono::steady_clock;
  const size_t bytes = static_cast<size_t>(elements) * sizeof(float);
  const Allocation a(bytes), b(bytes), c(bytes);
  useThreads(threads);
  std::vector<double> milliseconds;
  for (int i = 0; i < repetitions && !abandon; ++i) {
    const auto start = Clock::now();
    triad(reinterpret_cast<float*>(a.data()), reinterpret_cast<const float*>(b.data()),
          reinterpret_cast<const float*>(c.data()), elements / kVec);
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  return milliseconds;
}

}  // namespace lrscope
