// What the addon keeps for one JavaScript environment, which is the main thread or a worker: the
// promises that other threads settle, the one way by which those threads reach it, and what has to
// stop before it ends. An environment may end at any moment (worker.terminate()); from then on no
// thread calls into it, and every call of the addon into it may fail.
#pragma once
#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/session.h"

namespace lrscope {

class Environment {
 public:
  // Once an environment, when it loads the module.
  static void create(Napi::Env env);
  static std::shared_ptr<Environment> of(Napi::Env env);

  // The value of a promise, made on the JavaScript thread once the work is done; what it throws
  // rejects the promise. It is destroyed on that thread, so that it may own JavaScript references.
  using Finish = std::function<Napi::Value(Napi::Env)>;
  using Ticket = uint64_t;

  // On the JavaScript thread: a promise for work that begins now. It keeps the process alive.
  std::pair<Ticket, Napi::Promise> begin(Napi::Env env, Finish finish);
  // On any thread, once a ticket: the promise is settled soon, with `failure` if there is one.
  // Nothing happens once the environment is ending.
  void done(Ticket ticket, std::exception_ptr failure = nullptr);

  // Around work on another thread that the environment is to wait for when it ends. False when it
  // is ending already: the work is not begun, and `leave` not called.
  bool enter();
  void leave();
  // Set once the environment is ending, for work to be given up early.
  std::atomic<bool> abandon{false};

  // On the JavaScript thread: `stop` is called when the environment ends, unless forgotten before.
  void stopAtEnd(const void* key, std::function<void()> stop) { stops_[key] = std::move(stop); }
  void forget(const void* key) { stops_.erase(key); }

  // On the JavaScript thread: memory that typed arrays were made over, and what owns an
  // address, or null where it belongs to JavaScript.
  void lend(const std::shared_ptr<char>& memory, size_t bytes);
  std::shared_ptr<char> lenderOf(const void* address, size_t bytes);

 private:
  struct Pending {
    Napi::Promise::Deferred deferred;
    Finish finish;
  };
  struct Done {
    Ticket ticket;
    std::exception_ptr failure;
  };

  // Called by Node on the JavaScript thread after a `done`.
  static void ring(napi_env env, napi_value, void* self, void*);
  void settle(Napi::Env env, const Done& done) noexcept;
  static void end(void* self);

  // Of the JavaScript thread.
  std::map<Ticket, Pending> pending_;
  Ticket next_ = 0;
  std::map<const void*, std::function<void()>> stops_;
  std::map<const void*, std::pair<std::weak_ptr<char>, size_t>> lent_;

  std::mutex mutex_;
  std::condition_variable idle_;
  napi_threadsafe_function doorbell_ = nullptr;  // not to be touched once ending_
  std::vector<Done> done_;
  int running_ = 0;
  bool ending_ = false;
};

}  // namespace lrscope
