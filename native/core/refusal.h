// What the addon throws when it cannot do as told.
#pragma once
#include <cstring>
#include <stdexcept>
#include <string>

namespace lrscope {

// The message reaches the user.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the system refused, by its errno; "subject: reason" reaches the user.
struct SystemRefusal : Refusal {
  SystemRefusal(const std::string& subject, int code)
      : Refusal(subject + ": " + std::strerror(code)), code(code) {}
  int code;
};

}  // namespace lrscope
