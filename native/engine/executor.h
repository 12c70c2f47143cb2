// The one thread of the process that runs programs, in the order in which runs were asked for.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace lrscope {

class Executor {
 public:
  // Started by the first use, and never destroyed: its OpenMP pool lives as long as the process.
  // Throws Refusal where its thread cannot be started; the next use tries again.
  static Executor& instance();

  // `work` throws nothing. It ends early once `abandon`, which it owns, is set.
  void enqueue(std::function<void()> work, std::atomic<bool>& abandon);

 private:
  struct Entry {
    std::function<void()> work;
    std::atomic<bool>* abandon;
  };

  Executor();
  [[noreturn]] void loop();
  // At exit(), before what the work uses is destroyed: no more is begun, and what runs is given up.
  void stop();

  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  std::deque<Entry> queue_;
  std::atomic<bool>* running_ = nullptr;  // what would have the work under way given up
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace lrscope
