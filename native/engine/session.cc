// Regions of a session, and the count of its runs.
#include "engine/session.h"

#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/for_each.h"
#include "core/threads.h"
#ifdef __linux__
#include <sys/mman.h>
#endif

namespace lrscope {

namespace {

constexpr size_t kLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;
// What a thread zeroes at a time.
constexpr size_t kPiece = size_t{16} << 20;

struct Nothing {};

// Touches every page, so that no step has to wait for one: the system clears each as it is first
// touched, which takes long on a virtual machine whose host has to find the memory.
void zero(char* memory, size_t bytes, int threads) {
  forEach<Nothing>((bytes + kPiece - 1) / kPiece, threads, [&](Nothing&, size_t piece) {
    const size_t begin = piece * kPiece;
    std::memset(memory + begin, 0, std::min(kPiece, bytes - begin));
  });
}

}  // namespace

Allocation::Allocation(size_t bytes, int threads) : size_(bytes) {
  // Never empty, so that a pointer exists; huge pages spare most of the page table walks.
  const size_t alignment = bytes >= kHugePage ? kHugePage : kLine;
  const size_t padded = (bytes + alignment) / alignment * alignment;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, padded) != 0)
    throw Refusal("the machine has no " + std::to_string(bytes >> 20) +
                  " MiB of memory to give; use a smaller batch or image size");
#ifdef __linux__
  if (alignment == kHugePage) madvise(memory, padded, MADV_HUGEPAGE);
#endif
  data_ = static_cast<char*>(memory);
  zero(data_, padded, threads);
}

Allocation::~Allocation() { std::free(data_); }

Session::Session(const SessionOptions& o)
    : options(o),
      persistent_(new Allocation(o.persistentBytes, o.threads)),
      arena_(new Allocation(o.arenaBytes, o.threads)),
      outputs_(new Allocation(o.outputBytes, o.threads)) {
  for (int slot = 0; slot < o.slots; ++slot) {
    images_.push_back(std::make_shared<Allocation>(o.imageBytes, o.threads));
    labels_.push_back(std::make_shared<Allocation>(o.labelBytes, o.threads));
  }
}

size_t Session::regionBytes(Region region) const {
  switch (region) {
    case Region::persistent:
      return options.persistentBytes;
    case Region::arena:
      return options.arenaBytes;
    case Region::images:
      return options.imageBytes;
    case Region::labels:
      return options.labelBytes;
    case Region::outputs:
      return options.outputBytes;
  }
  throw Refusal("internal: unknown region");
}

char* Session::place(Region region, size_t offset) const {
  switch (region) {
    case Region::persistent:
      return persistent_->data() + offset;
    case Region::arena:
      return arena_->data() + offset;
    case Region::outputs:
      return outputs_->data() + offset;
    case Region::images:
    case Region::labels:
      return nullptr;
  }
  throw Refusal("internal: unknown region");
}

std::array<char*, kRegions> Session::bases(int slot) const {
  return {persistent_->data(), arena_->data(), images_.at(slot)->data(), labels_.at(slot)->data(),
          outputs_->data()};
}

void Session::beginRun() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++runs_;
}

void Session::endRun() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--runs_ == 0) idle_.notify_all();
}

bool Session::busy() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return runs_ > 0;
}

void Session::waitUntilIdle() {
  std::unique_lock<std::mutex> lock(mutex_);
  idle_.wait(lock, [this] { return runs_ == 0; });
}

void useThreads(int threads) {
  expectTeam(threads);
  omp_set_num_threads(threads);
}

ThreadScope::ThreadScope(int threads) : before_(omp_get_max_threads()) { useThreads(threads); }

ThreadScope::~ThreadScope() { omp_set_num_threads(before_); }

}  // namespace lrscope
