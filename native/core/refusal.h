// What the addon throws when it cannot do as told.
#pragma once
#include <stdexcept>

namespace lrscope {

// The message reaches the user.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace lrscope
