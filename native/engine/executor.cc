// The executor's loop.
#include "engine/executor.h"

#include <cstdlib>

#include "core/threads.h"

namespace lrscope {

Executor& Executor::instance() {
  static auto* const executor = [] {
    auto* const made = new Executor;
    std::atexit([] { instance().stop(); });
    return made;
  }();
  return *executor;
}

Executor::Executor() : thread_(startThread([this] { loop(); })) {}

void Executor::enqueue(std::function<void()> work, std::atomic<bool>& abandon) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back({std::move(work), &abandon});
  }
  wake_.notify_one();
}

void Executor::stop() {
  // What runs here may itself be what ends the process.
  if (std::this_thread::get_id() == thread_.get_id()) return;
  std::unique_lock<std::mutex> lock(mutex_);
  stopped_ = true;
  if (running_) *running_ = true;
  idle_.wait(lock, [this] { return running_ == nullptr; });
}

void Executor::loop() {
  for (;;) {
    Entry entry;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return !queue_.empty() && !stopped_; });
      entry = std::move(queue_.front());
      queue_.pop_front();
      running_ = entry.abandon;
    }
    entry.work();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      running_ = nullptr;
    }
    idle_.notify_all();
  }
}

}  // namespace lrscope
