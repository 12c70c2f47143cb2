// Threads that may fail to start: a machine or a container has a limit of them.
#pragma once
#include <string>
#include <system_error>
#include <thread>
#include <utility>

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

}  // namespace lrscope
