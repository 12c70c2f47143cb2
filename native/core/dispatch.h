// Flags that are known at run time as template arguments of a loop that is compiled for each of
// their values.
#pragma once
#include <type_traits>

namespace lrscope {

template <class Work>
decltype(auto) withFlags(Work work) {
  return work();
}

// work(std::bool_constant<first>{}, ...), a constant for each flag.
template <class Work, class... Rest>
decltype(auto) withFlags(Work work, bool first, Rest... rest) {
  const auto with = [&](auto flag) {
    return withFlags([&](auto... more) { return work(flag, more...); }, rest...);
  };
  return first ? with(std::true_type{}) : with(std::false_type{});
}

}  // namespace lrscope
