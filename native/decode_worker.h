// Work off the JavaScript thread whose outcome is a promise, and loops shared out among threads.
#pragma once
#include <napi.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace lrscope {

// Runs `work` on a thread of libuv's pool, then resolves with `result` on the JavaScript thread.
// `hold` keeps a typed array alive, and its memory with it, until the promise is settled.
class PromiseWorker : public Napi::AsyncWorker {
 public:
  explicit PromiseWorker(Napi::Env env) : Napi::AsyncWorker(env), deferred_(env) {}

  void hold(Napi::Value value) { held_.push_back(Napi::Persistent(value.As<Napi::Object>())); }

  Napi::Promise start(std::function<void()> work, std::function<Napi::Value(Napi::Env)> result) {
    work_ = std::move(work);
    result_ = std::move(result);
    const Napi::Promise promise = deferred_.Promise();
    Queue();
    return promise;
  }

 protected:
  void Execute() override { work_(); }
  void OnOK() override { deferred_.Resolve(result_(Env())); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  std::vector<Napi::ObjectReference> held_;
  std::function<void()> work_;
  std::function<Napi::Value(Napi::Env)> result_;
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
