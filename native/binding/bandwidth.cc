// The machine's memory bandwidth, as STREAM's triad finds it (McCalpin, 1995): a = b + s c over
// arrays far larger than the caches, results written past them, so that 3 x 4 bytes an element are
// all that moves.
#include <omp.h>

#include <chrono>

#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/errors.h"
#include "binding/exports.h"
#include "engine/executor.h"
#include "engine/session.h"
#include "kernels/simd/lanes.h"

namespace lrscope {

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

std::vector<double> measure(int64_t elements, int repetitions, int threads,
                            const std::atomic<bool>& abandon) {
  using Clock = std::chrono::steady_clock;
  const size_t bytes = static_cast<size_t>(elements) * sizeof(float);
  const Block a(bytes), b(bytes), c(bytes);
  omp_set_num_threads(threads);
  std::vector<double> milliseconds;
  for (int i = 0; i < repetitions && !abandon; ++i) {
    const auto start = Clock::now();
    triad(reinterpret_cast<float*>(a.data()), reinterpret_cast<const float*>(b.data()),
          reinterpret_cast<const float*>(c.data()), elements / kVec);
    milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  return milliseconds;
}

// measureTriad({ elements, repetitions, threads }): milliseconds of each pass, on the executor's
// thread, so that it takes turns with programs and uses their OpenMP pool.
Napi::Value measureTriad(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = readObject(info[0], "options");
  const int64_t elements = readInteger(options, "elements", kVec, int64_t{1} << 28);
  const auto repetitions = static_cast<int>(readInteger(options, "repetitions", 1, 1 << 20));
  const auto threads = static_cast<int>(readInteger(options, "threads", 1, 1024));
  const auto environment = Environment::of(env);
  Executor& executor = Executor::instance();
  const auto times = std::make_shared<std::vector<double>>();
  const auto [ticket, promise] = environment->begin(env, [times](Napi::Env env) -> Napi::Value {
    auto array = Napi::Float64Array::New(env, times->size());
    std::copy(times->begin(), times->end(), array.Data());
    return array;
  });
  executor.enqueue(
      [=, ticket = ticket] {
        std::exception_ptr failure;
        if (environment->enter()) {
          try {
            *times = measure(elements, repetitions, threads, environment->abandon);
          } catch (...) {
            failure = std::current_exception();
          }
          environment->leave();
        }
        environment->done(ticket, failure);
      },
      environment->abandon);
  return promise;
}

}  // namespace

void exportBandwidth(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "measureTriad", measureTriad);
}

}  // namespace lrscope
