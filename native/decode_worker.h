// Work off the JavaScript thread whose outcome is a promise.
#pragma once
#include <napi.h>

#include <functional>
#include <vector>

#include "for_each.h"

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

}  // namespace lrscope
