// A loop that is shared out among threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lrscope {

// body(state, i) for i in [0, count) on up to `threads` threads, each with a State of its own.
// The first exception ends the loop and is thrown here.
template <class State>
void forEach(size_t count, int threads, const std::function<void(State&, size_t)>& body) {
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::mutex guard;
  const auto loop = [&] {
    try {
      State state;
      for (size_t i = next++; i < count; i = next++) body(state, i);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(guard);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> helpers;
  const size_t wanted = std::min(count, static_cast<size_t>(std::max(1, threads)));
  helpers.reserve(wanted);
  try {
    for (size_t t = 1; t < wanted; ++t) helpers.emplace_back(loop);
  } catch (const std::exception&) {
    // No more threads to be had: those that there are do the work.
  }
  loop();
  for (std::thread& helper : helpers) helper.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace lrscope
