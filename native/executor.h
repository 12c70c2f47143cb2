// The one thread of the process that runs programs, in the order in which runs were asked for.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace lrscope {

class Executor {
 public:
  // Started by the first use, and never destroyed: its OpenMP pool lives as long as the process.
  static Executor& instance();

  void enqueue(std::function<void()> work);

 private:
  Executor();
  [[noreturn]] void loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
};

}  // namespace lrscope
