// Threads that may fail to start: a machine or a container has a limit of them.
#pragma once
#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/refusal.h"

namespace lrscope {

// A thread that runs `body`. Throws Refusal where the system gives none.
template <class Body>
std::thread startThread(Body body) {
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error& error) {
    throw Refusal(std::string("a thread cannot be started (") + error.code().message() +
                  "); the limit of processes and threads is reached: end some, or raise it "
                  "(ulimit -u, or the container's limit of tasks)");
  }
}

// Refuses where OpenMP could not have a team of `count` on this thread: libgomp ends the process
// when it cannot start one. So its threads are started here first, whenever the team grows; it
// keeps those that it has, and lets go of them when the team shrinks.
inline void expectTeam(int count) {
  static thread_local int team = 1;
  if (count == 1) return;  // takes none, and leaves those that there are
  if (count > team) {
    std::promise<void> all;
    const std::shared_future<void> started = all.get_future().share();
    std::vector<std::thread> probes;
    const auto end = [&] {
      all.set_value();
      for (std::thread& probe : probes) probe.join();
    };
    probes.reserve(count - team);
    try {
      for (int i = team; i < count; ++i)
        probes.push_back(startThread([started] { started.wait(); }));
    } catch (...) {
      end();
      throw;
    }
    end();
  }
  team = count;
}

}  // namespace lrscope
