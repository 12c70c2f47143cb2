#include "images/loader.h"

#include "core/threads.h"

namespace lrscope {

Loader::Loader(std::shared_ptr<ImageCache> cache, std::vector<int32_t> labels,
               std::vector<double> mean, std::vector<double> std, Augmentation augmentation,
               std::function<void(uint64_t)> done)
    : cache_(std::move(cache)),
      labels_(std::move(labels)),
      normaliser_(mean, std),
      augmentation_(augmentation),
      done_(std::move(done)),
      warper_(cache_->size(), cache_->channels()),
      thread_(startThread([this] { run(); })) {}

Loader::~Loader() { close(); }

void Loader::submit(BatchJob job) {
  {
    const std::lock_guard<std::mutex> lock(guard_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

std::vector<uint64_t> Loader::close() {
  std::vector<uint64_t> dropped;
  {
    const std::lock_guard<std::mutex> lock(guard_);
    stopping_ = true;
    for (const BatchJob& job : jobs_) dropped.push_back(job.id);
    jobs_.clear();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  return dropped;
}

std::vector<uint64_t> Loader::abandon() {
  abandoned_ = true;
  return close();
}

void Loader::run() {
  for (;;) {
    BatchJob job;
    {
      std::unique_lock<std::mutex> lock(guard_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    fill(job);
    done_(job.id);
  }
}

void Loader::fill(const BatchJob& job) {
  const int size = cache_->size();
  const size_t plane = static_cast<size_t>(size) * size;
  const bool augmented = job.augment && augmentation_ != Augmentation::kNone;
  for (size_t b = 0; b < job.indices.size() && !abandoned_; ++b) {
    const int32_t index = job.indices[b];
    const uint8_t* pixels = cache_->image(static_cast<size_t>(index));
    float* out = job.images.get() + b * cache_->imageBytes();
    job.labels.get()[b] = labels_[static_cast<size_t>(index)];
    if (!augmented) {
      normaliser_.plain(pixels, plane, out);
      continue;
    }
    const Draws draws = drawAugmentation(augmentation_, job.augment->seed, job.augment->epoch,
                                         static_cast<uint32_t>(index));
    const AffineMap map = affineMapOf(draws, size);
    for (int y = 0; y < size; ++y)
      normaliser_.row(warper_.row(pixels, map, y), size, draws, out + static_cast<size_t>(y) * size,
                      plane);
  }
  for (size_t b = job.indices.size(); b < job.labelCount; ++b) job.labels.get()[b] = -1;
}

void Loader::image(int32_t index, std::optional<EpochKey> augment, uint8_t* out) const {
  const uint8_t* pixels = cache_->image(static_cast<size_t>(index));
  const int size = cache_->size();
  if (!augment || augmentation_ == Augmentation::kNone) {
    std::copy(pixels, pixels + cache_->imageBytes(), out);
    return;
  }
  Warper warper(size, cache_->channels());
  const Draws draws =
      drawAugmentation(augmentation_, augment->seed, augment->epoch, static_cast<uint32_t>(index));
  const AffineMap map = affineMapOf(draws, size);
  for (int y = 0; y < size; ++y)
    normaliser_.bytes(warper.row(pixels, map, y), size, draws,
                      out + static_cast<size_t>(y) * size * cache_->channels());
}

}  // namespace lrscope
