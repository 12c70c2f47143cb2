// Fills batches on a thread of its own, so that the next one is ready when a step ends.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "images/augment.h"
#include "images/cache.h"

namespace lrscope {

struct EpochKey {
  uint32_t seed;
  uint32_t epoch;
};

struct BatchJob {
  uint64_t id;
  std::shared_ptr<float> images;    // (B, C, size, size)
  std::shared_ptr<int32_t> labels;  // labelCount
  size_t labelCount;
  std::vector<int32_t> indices;
  std::optional<EpochKey> augment;
};

class Loader {
 public:
  // `done` is called on the loader's thread, once a job. Throws Refusal where the thread cannot be
  // started.
  Loader(std::shared_ptr<ImageCache> cache, std::vector<int32_t> labels, std::vector<double> mean,
         std::vector<double> std, Augmentation augmentation, std::function<void(uint64_t)> done);
  ~Loader();

  void submit(BatchJob job);
  // Ends the thread after the job under way; gives back the ids of jobs that were still waiting.
  std::vector<uint64_t> close();

  // The same, and the job under way ends after the image that it is at.
  std::vector<uint64_t> abandon();

  // One image, (size, size, channels) u8. On the caller's thread.
  void image(int32_t index, std::optional<EpochKey> augment, uint8_t* out) const;

  const ImageCache& cache() const { return *cache_; }
  bool open() const { return !stopping_; }

 private:
  void run();
  void fill(const BatchJob& job);

  const std::shared_ptr<ImageCache> cache_;
  const std::vector<int32_t> labels_;
  const Normaliser normaliser_;
  const Augmentation augmentation_;
  const std::function<void(uint64_t)> done_;
  Warper warper_;

  std::mutex guard_;
  std::condition_variable wake_;
  std::deque<BatchJob> jobs_;
  std::atomic<bool> abandoned_{false};
  bool stopping_ = false;  // written under guard_, by the JavaScript thread alone
  std::thread thread_;
};

}  // namespace lrscope
