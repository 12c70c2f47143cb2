#include "binding/environment.h"

#include <iterator>

#include "binding/errors.h"

namespace lrscope {

void Environment::create(Napi::Env env) {
  const auto environment = std::make_shared<Environment>();
  env.SetInstanceData(new std::shared_ptr<Environment>(environment));
  const Napi::String name = Napi::String::New(env, "lrscope");
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
                                      environment.get(), ring, &environment->doorbell_) != napi_ok)
    throw Napi::Error::New(env);
  // Idle, it does not keep the process alive.
  napi_unref_threadsafe_function(env, environment->doorbell_);
  // Hooks run in reverse order: this one before the one that frees the doorbell.
  napi_add_env_cleanup_hook(env, end, environment.get());
}

std::shared_ptr<Environment> Environment::of(Napi::Env env) {
  return *env.GetInstanceData<std::shared_ptr<Environment>>();
}

std::pair<Environment::Ticket, Napi::Promise> Environment::begin(Napi::Env env, Finish finish) {
  Pending pending{Napi::Promise::Deferred::New(env), std::move(finish)};
  const Napi::Promise promise = pending.deferred.Promise();
  if (pending_.empty()) napi_ref_threadsafe_function(env, doorbell_);
  pending_.emplace(next_, std::move(pending));
  return {next_++, promise};
}

void Environment::done(Ticket ticket, std::exception_ptr failure) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (ending_) return;
  done_.push_back({ticket, std::move(failure)});
  // One ring for all that is done until it is heard.
  if (done_.size() == 1) napi_call_threadsafe_function(doorbell_, nullptr, napi_tsfn_nonblocking);
}

void Environment::ring(napi_env env, napi_value, void* self, void*) {
  if (env == nullptr) return;  // the doorbell is being freed
  auto* const environment = static_cast<Environment*>(self);
  std::vector<Done> all;
  {
    const std::lock_guard<std::mutex> lock(environment->mutex_);
    all.swap(environment->done_);
  }
  for (const Done& done : all) environment->settle(env, done);
  if (environment->pending_.empty()) napi_unref_threadsafe_function(env, environment->doorbell_);
}

void Environment::settle(Napi::Env env, const Done& done) noexcept {
  const auto found = pending_.find(done.ticket);
  if (found == pending_.end()) return;
  try {
    const Napi::HandleScope scope(env);
    const Pending pending = std::move(found->second);
    pending_.erase(found);
    std::exception_ptr failure = done.failure;
    Napi::Value value;
    if (!failure) {
      try {
        value = pending.finish(env);
      } catch (...) {
        failure = std::current_exception();
      }
    }
    if (failure)
      pending.deferred.Reject(toJavaScript(env, failure).Value());
    else
      pending.deferred.Resolve(value);
  } catch (...) {
    // The environment is ending, and takes nothing any more.
  }
}

bool Environment::enter() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (ending_) return false;
  ++running_;
  return true;
}

void Environment::leave() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--running_ == 0) idle_.notify_all();
}

void Environment::end(void* self) {
  auto* const environment = static_cast<Environment*>(self);
  {
    std::unique_lock<std::mutex> lock(environment->mutex_);
    environment->ending_ = true;
    environment->abandon = true;
    environment->idle_.wait(lock, [&] { return environment->running_ == 0; });
    environment->done_.clear();
  }
  for (const auto& [key, stop] : environment->stops_) stop();
  environment->stops_.clear();
  environment->pending_.clear();
}

void Environment::lend(const std::shared_ptr<char>& memory, size_t bytes) {
  for (auto each = lent_.begin(); each != lent_.end();)
    each = each->second.first.expired() ? lent_.erase(each) : std::next(each);
  lent_[memory.get()] = {memory, bytes};
}

std::shared_ptr<char> Environment::lenderOf(const void* address, size_t bytes) {
  auto found = lent_.upper_bound(address);
  if (found == lent_.begin()) return nullptr;
  const auto& [owner, size] = (--found)->second;
  const std::shared_ptr<char> memory = owner.lock();
  if (!memory) return nullptr;
  const auto offset = static_cast<size_t>(static_cast<const char*>(address) - memory.get());
  return offset <= size && bytes <= size - offset ? memory : nullptr;
}

}  // namespace lrscope
