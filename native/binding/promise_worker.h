// Work off the JavaScript thread whose outcome is a promise.
#pragma once
#include <napi.h>

#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include "binding/errors.h"
#include "core/for_each.h"

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

}  // namespace lrscope
