// What JavaScript holds of an object of the addon: an external value that has the type's tag.
#pragma once
#include <napi.h>

#include <memory>
#include <string>

#include "core/refusal.h"

namespace lrscope {

struct HandleType {
  napi_type_tag tag;
  const char* name;  // "an image cache", for what is none
};

template <class T>
Napi::Value makeHandle(Napi::Env env, const HandleType& type, std::shared_ptr<T> object) {
  using Held = std::shared_ptr<T>;
  auto held = std::make_unique<Held>(std::move(object));
  const auto external =
      Napi::External<Held>::New(env, held.get(), [](Napi::Env, Held* dropped) { delete dropped; });
  held.release();
  external.TypeTag(&type.tag);
  return external;
}

template <class T>
std::shared_ptr<T>& objectOf(const Napi::Value& value, const HandleType& type) {
  using External = Napi::External<std::shared_ptr<T>>;
  if (!value.IsExternal() || !value.As<External>().CheckTypeTag(&type.tag))
    throw Refusal(std::string("internal: not ") + type.name);
  return *value.As<External>().Data();
}

}  // namespace lrscope
