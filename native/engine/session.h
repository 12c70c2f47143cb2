// The memory of one network: a region each for what persists, the arena, the outputs, and the
// input slots. Allocated once, 64-byte aligned, zeroed.
#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "engine/kernel.h"

namespace lrscope {

// One allocation; the last owner frees it.
class Block {
 public:
  explicit Block(size_t bytes);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
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
  std::shared_ptr<Block> images(int slot) const { return images_.at(slot); }
  std::shared_ptr<Block> labels(int slot) const { return labels_.at(slot); }

  // Runs that are queued or executing.
  void beginRun();
  void endRun();
  bool busy() const;
  void waitUntilIdle();

 private:
  std::unique_ptr<Block> persistent_, arena_, outputs_;
  std::vector<std::shared_ptr<Block>> images_, labels_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  int runs_ = 0;
};

// Threads that OpenMP and oneDNN use on this thread, for as long as the scope lasts: primitives
// are planned for a number of threads when they are made, on whatever thread that happens.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();

 private:
  int before_;
};

}  // namespace lrscope
