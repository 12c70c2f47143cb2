// What lrscope asks of oneDNN, in the form that both 2.x and 3.x understand. 2.x describes an
// operation first and makes a primitive descriptor of that; 3.x does both at once.
#pragma once
#include <algorithm>
#include <dnnl.hpp>
#include <string>

namespace lrscope::onednn {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

// Never destroyed: the executor's thread may still use them while the process ends.
inline const dnnl::engine& engine() {
  static const auto* const cpu = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *cpu;
}
inline dnnl::stream& stream() {
  static auto* const only = new dnnl::stream(engine());
  return *only;
}

inline std::string version() {
  const dnnl_version_t* v = dnnl_version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

// The instruction set that primitives are generated for, by oneDNN's own name.
inline std::string isa() {
  switch (dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41:
      return "sse41";
    case dnnl_cpu_isa_avx:
      return "avx";
    case dnnl_cpu_isa_avx2:
      return "avx2";
    case dnnl_cpu_isa_avx2_vnni:
      return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core:
      return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "other-" + std::to_string(static_cast<int>(dnnl_get_effective_cpu_isa()));
  }
}

inline Dims dimsOf(const Desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  return desc.get_dims();
#else
  return desc.dims();
#endif
}

inline dnnl::memory::data_type typeOf(const Desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  return desc.get_data_type();
#else
  return desc.data_type();
#endif
}

// Equality of descriptors leaves out the strides of dimensions of extent 1; what a kernel accepts
// does not: for one input channel "Abcd8a" equals "Acdb8a", and only the latter is fast.
inline bool sameStrides(const Desc& a, const Desc& b) {
#if DNNL_VERSION_MAJOR >= 3
  return a.get_strides() == b.get_strides();
#else
  const auto& left = a.data.format_desc.blocking.strides;
  const auto& right = b.data.format_desc.blocking.strides;
  return std::equal(left, left + a.data.ndims, right);
#endif
}

// Whether its instructions multiply bf16 (AVX512-BF16 or AMX); elsewhere primitives of bf16 are
// slow or not there. Instruction sets are bit masks.
inline bool multipliesBf16() {
  constexpr unsigned kNeeded = dnnl_cpu_isa_avx512_core_bf16;
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & kNeeded) == kNeeded;
}

// Whether it multiplies whole tiles of bf16 at once (AMX).
inline bool multipliesTiles() {
  constexpr unsigned kNeeded = dnnl_cpu_isa_avx512_core_amx;
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & kNeeded) == kNeeded;
}

// Scratchpads are ours, so that running a primitive allocates nothing.
inline dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

struct Convolution {
  dnnl::algorithm algorithm;
  Dims strides, padBefore, padAfter;
};

// A zero bias descriptor means no bias.
inline dnnl::convolution_forward::primitive_desc convolutionForward(
    const Convolution& c, const Desc& x, const Desc& weight, const Desc& bias, const Desc& y,
    const dnnl::primitive_attr& attributes) {
  constexpr auto kind = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), kind,      c.algorithm, x,          weight,    bias,
          y,        c.strides, c.padBefore, c.padAfter, attributes};
#else
  return {{kind, c.algorithm, x, weight, bias, y, c.strides, c.padBefore, c.padAfter},
          attributes,
          engine()};
#endif
}

inline dnnl::convolution_backward_data::primitive_desc convolutionBackwardData(
    const Convolution& c, const Desc& dx, const Desc& weight, const Desc& dy,
    const dnnl::primitive_attr& attributes,
    const dnnl::convolution_forward::primitive_desc& forward) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(),  c.algorithm, dx,         weight,  dy,
          c.strides, c.padBefore, c.padAfter, forward, attributes};
#else
  return {{c.algorithm, dx, weight, dy, c.strides, c.padBefore, c.padAfter},
          attributes,
          engine(),
          forward};
#endif
}

inline dnnl::convolution_backward_weights::primitive_desc convolutionBackwardWeights(
    const Convolution& c, const Desc& x, const Desc& dweight, const Desc& dbias, const Desc& dy,
    const dnnl::primitive_attr& attributes,
    const dnnl::convolution_forward::primitive_desc& forward) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(),  c.algorithm, x,          dweight, dbias,     dy,
          c.strides, c.padBefore, c.padAfter, forward, attributes};
#else
  return {{c.algorithm, x, dweight, dbias, dy, c.strides, c.padBefore, c.padAfter},
          attributes,
          engine(),
          forward};
#endif
}

inline dnnl::inner_product_forward::primitive_desc innerProductForward(
    const Desc& x, const Desc& weight, const Desc& bias, const Desc& y,
    const dnnl::primitive_attr& attributes) {
  constexpr auto kind = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), kind, x, weight, bias, y, attributes};
#else
  return {{kind, x, weight, bias, y}, attributes, engine()};
#endif
}

inline dnnl::inner_product_backward_data::primitive_desc innerProductBackwardData(
    const Desc& dx, const Desc& weight, const Desc& dy, const dnnl::primitive_attr& attributes,
    const dnnl::inner_product_forward::primitive_desc& forward) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), dx, weight, dy, forward, attributes};
#else
  return {{dx, weight, dy}, attributes, engine(), forward};
#endif
}

inline dnnl::inner_product_backward_weights::primitive_desc innerProductBackwardWeights(
    const Desc& x, const Desc& dweight, const Desc& dbias, const Desc& dy,
    const dnnl::primitive_attr& attributes,
    const dnnl::inner_product_forward::primitive_desc& forward) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), x, dweight, dbias, dy, forward, attributes};
#else
  return {{x, dweight, dbias, dy}, attributes, engine(), forward};
#endif
}

}  // namespace lrscope::onednn
