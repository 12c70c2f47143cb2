// Work off the JavaScript thread whose outcome is a promise, and loops shared out among threads.
#pragma once
#include <napi.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "errors.h"

namespace lrscope {

// Runs `work` on a thread of libuv's pool, then makes the promise's value with `result` on the
// JavaScript thread. What either throws rejects the promise. An environment that ends waits for the
// work, and takes nothing of it.
class PromiseWorker : public Napi::AsyncWorker {
 public:
  using Work = std::function<void()>;
  using Result = std::function<Napi::Value(Napi::Env)>;

  static Napi::Promise start(Napi::Env env, Work work, Result result) {
    auto worker =
        std::unique_ptr<PromiseWorker>(new PromiseWorker(env, std::move(work), std::move(result)));
    const Napi::Promise promise = worker->deferred_.Promise();
    worker->Queue();
    worker.release();  // it deletes itself once it is done
    return promise;
  }

 protected:
  void Execute() override {
    try {
      work_();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void OnOK() override {
    try {
      if (!failure_) {
        try {
          deferred_.Resolve(result_(Env()));
          return;
        } catch (...) {
          failure_ = std::current_exception();
        }
      }
      deferred_.Reject(toJavaScript(Env(), failure_).Value());
    } catch (...) {
      // The environment is ending, and takes nothing any more.
    }
  }

 private:
  PromiseWorker(Napi::Env env, Work work, Result result)
      : Napi::AsyncWorker(env),
        deferred_(env),
        work_(std::move(work)),
        result_(std::move(result)) {}

  Napi::Promise::Deferred deferred_;
  Work work_;
  Result result_;
  std::exception_ptr failure_;
};

// body(state, i) for i in [0, count) on up to `threads` threads, each with a State of its own.
// The first exception ends the loop and is thrown here.
template <class State>
void forEach(size_t count, int threads, const std::function<void(State&, size_t)>& body) {
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex guard;
  const auto loop = [&] {
    try {
      State state;
      for (size_t i = next++; i < count; i = next++) body(state, i);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(guard);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> helpers;
  const size_t wanted = std::min(count, static_cast<size_t>(std::max(1, threads)));
  helpers.reserve(wanted);
  try {
    for (size_t t = 1; t < wanted; ++t) helpers.emplace_back(loop);
  } catch (const std::system_error&) {
    // No more threads to be had: those that there are do the work.
  }
  loop();
  for (std::thread& helper : helpers) helper.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace lrscope
