// measureTriad of the module.
#include "binding/arguments.h"
#include "binding/environment.h"
#include "binding/errors.h"
#include "binding/exports.h"
#include "binding/typed_arrays.h"
#include "engine/executor.h"
#include "kernels/triad.h"

namespace lrscope {

namespace {

// measureTriad({ elements, repetitions, threads }): milliseconds of each pass, on the executor's
// thread, so that it takes turns with programs and uses their OpenMP pool.
Napi::Value measureTriad(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object options = readObject(info[0], "options");
  const int64_t elements = readInteger(options, "elements", kTriadStep, int64_t{1} << 28);
  const auto repetitions = static_cast<int>(readInteger(options, "repetitions", 1, 1 << 20));
  const auto threads = static_cast<int>(readInteger(options, "threads", 1, 1024));
  const auto environment = Environment::of(env);
  Executor& executor = Executor::instance();
  const auto times = std::make_shared<std::vector<double>>();
  const auto [ticket, promise] = environment->begin(
      env, [times](Napi::Env env) -> Napi::Value { return toFloat64Array(env, *times); });
  executor.enqueue(
      [=, ticket = ticket] {
        std::exception_ptr failure;
        if (environment->enter()) {
          try {
            *times = timeTriad(elements, repetitions, threads, environment->abandon);
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

void exportBandwidth(Napi::Object exports) {
  exportFunction(exports, "measureTriad", measureTriad);
}

}  // namespace lrscope
