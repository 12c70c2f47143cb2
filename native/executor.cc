// The executor's loop.
#include "executor.h"

#include <thread>

namespace lrscope {

Executor& Executor::instance() {
  static auto* const executor = new Executor;
  return *executor;
}

Executor::Executor() {
  std::thread([this] { loop(); }).detach();
}

void Executor::enqueue(std::function<void()> work) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void Executor::loop() {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return !queue_.empty(); });
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace lrscope
