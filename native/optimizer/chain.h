// Runs folded vector code on a tile, 64 floats of every operand, with the running value in machine
// registers.
#pragma once
#include <cmath>

#include "kernels/simd/lanes.h"
#include "optimizer/fold.h"

namespace lrscope {

constexpr int kTileVecs = 8;
constexpr int64_t kTile = kTileVecs * kVec;

// Where an operand lies: float i of the segment is base[i * step]. A register is the same 64 floats
// for every tile (step 0); a slot has no floats but one value.
struct Cursor {
  float* base = nullptr;
  int64_t step = 0;
  float scalar = 0;  // or the factor of the floats, where the link says so

  float* at(int64_t i) const { return base + i * step; }
};

inline Vec pick(Mask where, Vec yes, Vec no) {
  return (Vec)((where & (Mask)yes) | (~where & (Mask)no));
}

inline Vec squareRoot(Vec x) {
#ifdef __AVX__
  return (Vec)_mm256_sqrt_ps((__m256)x);
#else
  for (int l = 0; l < kVec; ++l) x[l] = std::sqrt(x[l]);
  return x;
#endif
}

// op(x, y) lane by lane; a NaN wins over any maximum or minimum, as in JavaScript.
template <VectorOp op>
Vec apply(Vec x, Vec y) {
  const Vec zero{};
  if constexpr (op == VectorOp::add) return x + y;
  if constexpr (op == VectorOp::sub) return x - y;
  if constexpr (op == VectorOp::mul) return x * y;
  if constexpr (op == VectorOp::div) return x / y;
  if constexpr (op == VectorOp::max) return pick((x > y) | (x != x), x, y);
  if constexpr (op == VectorOp::min) return pick((x < y) | (x != x), x, y);
  if constexpr (op == VectorOp::sqrt) return squareRoot(x);
  if constexpr (op == VectorOp::abs) return (Vec)((Mask)x & 0x7fffffff);
  if constexpr (op == VectorOp::sign)
    return pick(x > zero, zero + 1, pick(x < zero, zero - 1, zero));
  if constexpr (op == VectorOp::square) return x * x;
  if constexpr (op == VectorOp::negate) return -x;
  return x;
}

// Eight vectors by name: an array would be kept in memory between the links.
struct Tile {
  Vec a, b, c, d, e, f, g, h;

  template <class Work>
  [[gnu::always_inline]] void each(Work work) {
    work(a, 0), work(b, 1), work(c, 2), work(d, 3);
    work(e, 4), work(f, 5), work(g, 6), work(h, 7);
  }

  [[gnu::always_inline]] void fill(float value) {
    each([=](Vec& v, int) { v = value + Vec{}; });
  }

  [[gnu::always_inline]] void load(const float* from) {
    each([=](Vec& v, int i) { v = Whole{}.load(from + i * kVec); });
  }

  [[gnu::always_inline]] void store(float* to) {
    each([=](Vec& v, int i) { Whole{}.store(to + i * kVec, v); });
  }

  template <VectorOp op>
  [[gnu::always_inline]] void unary() {
    each([](Vec& v, int) { v = apply<op>(v, v); });
  }

  template <VectorOp op, Variant variant>
  [[gnu::always_inline]] void binary(const Cursor& operand, int64_t at) {
    const float* from = operand.at(at);
    const Vec scalar = operand.scalar + Vec{};
    if constexpr (variant == Variant::vector)
      each([=](Vec& v, int i) { v = apply<op>(v, Whole{}.load(from + i * kVec)); });
    else if constexpr (variant == Variant::scaled)
      each([=](Vec& v, int i) { v = apply<op>(v, Whole{}.load(from + i * kVec) * scalar); });
    else if constexpr (variant == Variant::scalar)
      each([=](Vec& v, int) { v = apply<op>(v, scalar); });
    else if constexpr (variant == Variant::vectorFirst)
      each([=](Vec& v, int i) { v = apply<op>(Whole{}.load(from + i * kVec), v); });
    else
      each([=](Vec& v, int) { v = apply<op>(scalar, v); });
  }
};

// `cursors`: of each link its operand and its result.
inline void runTile(const std::vector<Link>& links, const Cursor* cursors, int64_t at) {
  Tile tile{};
  for (const Link& link : links) {
    const Cursor &operand = cursors[0], &to = cursors[1];
    cursors += 2;
    switch (link.dispatch) {
#define LRSCOPE_BINARY(op, variant)                           \
  case dispatchOf(VectorOp::op, Variant::variant):            \
    tile.binary<VectorOp::op, Variant::variant>(operand, at); \
    break;
#define LRSCOPE_VARIANTS(op)      \
  LRSCOPE_BINARY(op, vector)      \
  LRSCOPE_BINARY(op, scalar)      \
  LRSCOPE_BINARY(op, vectorFirst) \
  LRSCOPE_BINARY(op, scalarFirst)
#define LRSCOPE_UNARY(op)                         \
  case dispatchOf(VectorOp::op, Variant::vector): \
  case dispatchOf(VectorOp::op, Variant::scalar): \
    tile.unary<VectorOp::op>();                   \
    break;
      LRSCOPE_BINARY(add, scaled)
      LRSCOPE_VARIANTS(add)
      LRSCOPE_VARIANTS(sub)
      LRSCOPE_VARIANTS(mul)
      LRSCOPE_VARIANTS(div)
      LRSCOPE_VARIANTS(max)
      LRSCOPE_VARIANTS(min)
      LRSCOPE_UNARY(sqrt)
      LRSCOPE_UNARY(abs)
      LRSCOPE_UNARY(sign)
      LRSCOPE_UNARY(square)
      LRSCOPE_UNARY(negate)
#undef LRSCOPE_BINARY
#undef LRSCOPE_VARIANTS
#undef LRSCOPE_UNARY
      case dispatchOf(VectorOp::fill, Variant::scalar):
        tile.fill(operand.scalar);
        break;
      case dispatchOf(VectorOp::fill, Variant::vector):
        tile.load(operand.at(at));
        break;
      default:  // stored as it is
        break;
    }
    if (link.stored) tile.store(to.at(at));
  }
}

}  // namespace lrscope
