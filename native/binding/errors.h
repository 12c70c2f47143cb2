// One vocabulary for what goes wrong: C++ throws, and at the one boundary that all functions of the
// module share, what was thrown becomes a JavaScript Error.
#pragma once
#include <napi.h>

#include <exception>
#include <type_traits>
#include <utility>

namespace lrscope {

// What JavaScript sees of `failure`: an Error, with the index of the instruction where there is
// one.
Napi::Error toJavaScript(Napi::Env env, const std::exception_ptr& failure);

// Throws it there. An environment that is ending takes nothing any more, and is left alone.
void throwInto(Napi::Env env, const std::exception_ptr& failure) noexcept;

// A function of the module. Whatever `work` throws stays on this side.
template <class Work>
void exportFunction(Napi::Object to, const char* name, Work work) {
  to.Set(name, Napi::Function::New(
                   to.Env(),
                   [work = std::move(work)](const Napi::CallbackInfo& info) -> Napi::Value {
                     try {
                       if constexpr (std::is_void_v<decltype(work(info))>)
                         work(info);
                       else
                         return work(info);
                     } catch (...) {
                       throwInto(info.Env(), std::current_exception());
                     }
                     return Napi::Value();
                   },
                   name));
}

}  // namespace lrscope
