// The memory of one network: a region each for what persists, the arena, the outputs, and the
// input slots. Allocated once, 64-byte aligned, zeroed.
#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "engine/kernel.h"

namespace lrscope {

// One allocation, zeroed by some threads; the last owner frees it.
class Allocation {
 public:
  explicit Allocation(size_t bytes, int threads = 1);
  ~Allocation();
  Allocation(const Allocation&) = delete;
  Allocation& operator=(const Allocation&) = delete;
  char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  char* data_;
  size_t size_;
};

struct SessionOptions {
  size_t persistentBytes, arenaBytes, outputBytes, imageBytes, labelBytes;
  int slots, threads;
};

class Session {
 public:
  explicit Session(const SessionOptions& options);

  const SessionOptions options;

  size_t regionBytes(Region region) const;
  // Where an operand lies for good, or null for images and labels.
  char* place(Region region, size_t offset) const;
  std::array<char*, kRegions> bases(int slot) const;
  // Shared with the JavaScript arrays that show it, which may outlive the session.
  std::shared_ptr<Allocation> images(int slot) const { return images_.at(slot); }
  std::shared_ptr<Allocation> labels(int slot) const { return labels_.at(slot); }

  // Runs that are queued or executing.
  void beginRun();
  void endRun();
  bool busy() const;
  void waitUntilIdle();

 private:
  std::unique_ptr<Allocation> persistent_, arena_, outputs_;
  std::vector<std::shared_ptr<Allocation>> images_, labels_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  int runs_ = 0;
};

// Sets how many threads OpenMP and oneDNN use on this thread. Refuses where they cannot be started.
void useThreads(int threads);

// The same, for as long as the scope lasts: primitives
// are planned for a number of threads when they are made, on whatever thread that happens.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();

 private:
  int before_;
};

}  // namespace lrscope
