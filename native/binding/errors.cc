#include "binding/errors.h"

#include <cerrno>
#include <new>
#include <string>

#include "engine/program.h"

namespace lrscope {

Napi::Error toJavaScript(Napi::Env env, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Napi::Error& error) {
    return error;
  } catch (const InstructionFailure& error) {
    Napi::Error js = Napi::Error::New(env, error.what());
    js.Set("instruction", static_cast<double>(error.instruction));
    return js;
  } catch (const SystemRefusal& error) {
    Napi::Error js = Napi::Error::New(env, error.what());
    // As Node's own errors have it, of the two that callers tell apart.
    if (error.code == EFBIG || error.code == ENOSPC)
      js.Set("code", Napi::String::New(env, error.code == EFBIG ? "EFBIG" : "ENOSPC"));
    return js;
  } catch (const dnnl::error& error) {
    return Napi::Error::New(env, std::string("oneDNN: ") + error.what());
  } catch (const std::bad_alloc&) {
    return Napi::Error::New(env, "the machine has no memory to give for this");
  } catch (const std::exception& error) {
    return Napi::Error::New(env, error.what());
  } catch (...) {
    return Napi::Error::New(env, "internal: something was thrown that is no exception");
  }
}

void throwInto(Napi::Env env, const std::exception_ptr& failure) noexcept {
  try {
    toJavaScript(env, failure).ThrowAsJavaScriptException();
  } catch (...) {
    // The environment is ending: nobody is left to be told.
  }
}

}  // namespace lrscope
