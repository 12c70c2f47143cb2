// What the kinds of batch normalisation share (Ioffe & Szegedy 2015, algorithm 1): statistics of a
// batch, the sums of its derivative, and the walk through memory.
//
// Sums are taken in float over a few hundred values, then in double, in an order that does not
// depend on the threads.
#pragma once
#include <cmath>

#include "core/dispatch.h"
#include "kernels/kernels.h"
#include "kernels/simd/lanes.h"

namespace lrscope::norm::LRSCOPE_WIDTH {

// Rows, so that a chunk's 8 or 16 KiB stay in L1 between its two passes.
constexpr int64_t chunkRows(int vecs) { return vecs * kVec > 16 ? 128 : 256; }

// Count, mean and sum of squared deviations; merged by Chan, Golub and LeVeque (1983), eq. 2.1.
struct Moments {
  double count = 0, mean = 0, m2 = 0;

  void merge(double n, double otherMean, double otherM2) {
    const double total = count + n, delta = otherMean - mean;
    mean += delta * n / total;
    m2 += otherM2 + delta * delta * count * n / total;
    count = total;
  }
};

// y = (x - mean) * scale + beta
struct Affine {
  LaneValues mean, scale, beta;

  Vec apply(Vec x, int i) const { return (x - mean.vec(i)) * scale.vec(i) + beta.vec(i); }
};

inline float inverseDeviation(float variance, double epsilon) {
  return static_cast<float>(1 / std::sqrt(variance + epsilon));
}

inline Affine affineOf(const ChannelView& v, int64_t g, const float* mean, const float* variance,
                       const float* gamma, const float* beta, double epsilon) {
  return {LaneValues::of(v, g, [&](int64_t c) { return mean[c]; }),
          LaneValues::of(
              v, g, [&](int64_t c) { return gamma[c] * inverseDeviation(variance[c], epsilon); }),
          LaneValues::of(v, g, [&](int64_t c) { return beta[c]; })};
}

// Moments of every lane of one span, merged into `lanes`.
template <class Io, class Vecs, class T>
void addMoments(Io io, Vecs vecs, const T* x, int64_t rows, int64_t stride, int count,
                Moments* lanes) {
  constexpr int64_t kChunk = chunkRows(Vecs::value);
  for (int64_t begin = 0; begin < rows; begin += kChunk) {
    const int64_t n = rows - begin < kChunk ? rows - begin : kChunk;
    const T* from = x + begin * stride;
    for (int i = 0; i < vecs; ++i) {
      const auto at = [&](int64_t r) { return io.load(from + r * stride + i * kVec); };
      // Four sums run side by side, to hide the latency of an addition.
      Vec sum[4] = {};
      int64_t r = 0;
      for (; r + 4 <= n; r += 4)
        for (int u = 0; u < 4; ++u) sum[u] += at(r + u);
      for (; r < n; ++r) sum[0] += at(r);
      const Vec mean = ((sum[0] + sum[1]) + (sum[2] + sum[3])) / static_cast<float>(n);
      Vec square[4] = {};
      const auto squared = [&](int64_t row) {
        const Vec d = at(row) - mean;
        return d * d;
      };
      r = 0;
      for (; r + 4 <= n; r += 4)
        for (int u = 0; u < 4; ++u) square[u] += squared(r + u);
      for (; r < n; ++r) square[0] += squared(r);
      const Vec m2 = (square[0] + square[1]) + (square[2] + square[3]);
      for (int l = 0; l < kVec && l < count; ++l)
        lanes[i * kVec + l].merge(static_cast<double>(n), mean[l], m2[l]);
    }
  }
}

inline int lanesIn(Whole) { return kVec; }
inline int lanesIn(Part part) { return part.count; }

struct Sums {
  double gradient = 0, product = 0;

  static void add(Sums* lanes, Vec gradients, Vec products) {
    for (int l = 0; l < kVec; ++l) {
      lanes[l].gradient += gradients[l];
      lanes[l].product += products[l];
    }
  }
};

// A span's sums of d and d (x - mean), d being gradient(r, at, i, x) for the vector i of row r that
// lies at `at`, added to `lanes`.
template <class Io, class Vecs, class T, class Gradient>
void addSums(Io io, Vecs vecs, const Affine& affine, const T* x, int64_t offset, int64_t rows,
             int64_t stride, Sums* lanes, Gradient gradient) {
  constexpr int64_t kChunk = chunkRows(Vecs::value);
  for (int64_t begin = 0; begin < rows; begin += kChunk) {
    const int64_t end = rows - begin < kChunk ? rows : begin + kChunk;
    for (int i = 0; i < vecs; ++i) {
      const Vec mean = affine.mean.vec(i);
      Vec sum[2] = {}, product[2] = {};
      const auto add = [&](int64_t r, int u) {
        const int64_t at = offset + r * stride + i * kVec;
        const Vec value = io.load(x + at);
        const Vec d = gradient(r, at, i, value);
        sum[u] += d;
        product[u] += d * (value - mean);
      };
      int64_t r = begin;
      for (; r + 2 <= end; r += 2) {
        add(r, 0);
        add(r + 1, 1);
      }
      if (r < end) add(r, 0);
      Sums::add(lanes + i * kVec, sum[0] + sum[1], product[0] + product[1]);
    }
  }
}

struct BatchNorm {
  ChannelView view;
  double epsilon, momentum;
  bool relu;

  size_t partials() const { return view.batch * view.groups * view.lanes; }
};

inline int64_t groupOf(const ChannelView& v, int64_t c) { return v.plain ? c : c / v.lanes; }

// Calls visit with the index of each partial that belongs to channel c.
template <class Visit>
void forLanesOf(const ChannelView& v, int64_t c, Visit visit) {
  for (int64_t b = 0; b < v.batch; ++b) {
    const int64_t first = (b * v.groups + groupOf(v, c)) * v.lanes;
    if (!v.plain) {
      visit(first + c % v.lanes);
    } else {
      for (int64_t l = 0; l < v.lanes; ++l) visit(first + l);
    }
  }
}

template <class Visit>
void forChannelsOf(const ChannelView& v, int64_t g, Visit visit) {
  const int64_t first = v.plain ? g : g * v.lanes;
  for (int64_t c = first; c < first + v.channelsOf(g); ++c) visit(c);
}

// Two passes over an activation, of which the second needs what the first has summed over the
// batch: first(g)(b) for every image and group, between(g) for every group, second(g)(b) again.
// What first(g) and second(g) compute for their group is shared by its images where that is
// possible.
//
// Where the layout keeps a group's images in pieces of their own and the groups divide among the
// threads, each thread goes through both passes one group after the other: a group of a common
// layer fits a third-level cache, which the second pass then reads it from. No result depends on
// the choice, as every partial sum is of one image and group.
template <class First, class Between, class Second>
void twoPasses(const ChannelView& v, First first, Between between, Second second) {
  if (v.padded && v.groups % omp_get_max_threads() == 0) {
#pragma omp parallel
    {
      const int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
      for (int64_t g = v.groups * me / threads; g < v.groups * (me + 1) / threads; ++g) {
        const auto before = first(g);
        for (int64_t b = v.batch; b-- > 0;) before(b);
        between(g);
        const auto after = second(g);
        for (int64_t b = 0; b < v.batch; ++b) after(b);
      }
      settle();
    }
    return;
  }
  forImages(v, Walk::backwards, [&](int64_t b, int64_t g) { first(g)(b); });
  for (int64_t g = 0; g < v.groups; ++g) between(g);
  forImages(v, Walk::forwards, [&](int64_t b, int64_t g) { second(g)(b); });
}

// The operands that the training forward passes have in common.
struct Statistics {
  const float *gamma, *beta;
  float *runningMean, *runningVariance, *mean, *variance;
  Moments* partial;

  // From operands in the order gamma, beta, runningMean, runningVariance; mean, variance.
  Statistics(const RunContext& run, const Operand* in, const Operand* out, const Operand& scratch)
      : gamma(in[0].f32(run)),
        beta(in[1].f32(run)),
        runningMean(in[2].f32(run)),
        runningVariance(in[3].f32(run)),
        mean(out[0].f32(run)),
        variance(out[1].f32(run)),
        partial(scratch.data<Moments>(run)) {}

  Affine affine(const BatchNorm& bn, int64_t g) const {
    return affineOf(bn.view, g, mean, variance, gamma, beta, bn.epsilon);
  }
};

// Takes the statistics of x and moves the running ones, then calls second(g)(b).
template <class T, class Second>
void normaliseBatch(const BatchNorm& bn, const Statistics& s, const T* x, Second second) {
  const ChannelView& v = bn.view;
  const auto first = [&](int64_t g) {
    return [&, g](int64_t b) {
      Moments* lanes = s.partial + (b * v.groups + g) * v.lanes;
      for (int64_t l = 0; l < v.lanes; ++l) lanes[l] = {};
      forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
        addMoments(io, vecs, x + offset, rows, v.rowStride, lanesIn(io), lanes);
      });
    };
  };
  const auto between = [&](int64_t g) {
    forChannelsOf(v, g, [&](int64_t c) {
      Moments all;
      forLanesOf(v, c, [&](int64_t i) {
        if (s.partial[i].count > 0)
          all.merge(s.partial[i].count, s.partial[i].mean, s.partial[i].m2);
      });
      const double biased = all.m2 / all.count;
      const double unbiased = all.count > 1 ? all.m2 / (all.count - 1) : biased;
      s.mean[c] = static_cast<float>(all.mean);
      s.variance[c] = static_cast<float>(biased);
      s.runningMean[c] =
          static_cast<float>((1 - bn.momentum) * s.runningMean[c] + bn.momentum * all.mean);
      s.runningVariance[c] =
          static_cast<float>((1 - bn.momentum) * s.runningVariance[c] + bn.momentum * unbiased);
    });
  };
  twoPasses(v, first, between, second);
}

// The operands that the derivatives have in common. With h = (x - mean) / sqrt(variance + epsilon),
// d the gradient that ReLU let pass and n = B*H*W:
//   dbeta = sum d,  dgamma = sum d h,
//   dx = gamma / sqrt(variance + epsilon) * (d - dbeta / n - h dgamma / n)
struct Derivative {
  const float *gamma, *beta, *mean, *variance;
  float *dgamma, *dbeta;
  Sums* partial;

  // From operands in the order gamma, beta, mean, variance; dgamma, dbeta.
  Derivative(const RunContext& run, const Operand* in, const Operand* out, const Operand& scratch)
      : gamma(in[0].f32(run)),
        beta(in[1].f32(run)),
        mean(in[2].f32(run)),
        variance(in[3].f32(run)),
        dgamma(out[0].f32(run)),
        dbeta(out[1].f32(run)),
        partial(scratch.data<Sums>(run)) {}

  Affine affine(const BatchNorm& bn, int64_t g) const {
    return affineOf(bn.view, g, mean, variance, gamma, beta, bn.epsilon);
  }

  // The partial sums of image b, group g, set to 0.
  Sums* cleared(const BatchNorm& bn, int64_t b, int64_t g) const {
    Sums* lanes = partial + (b * bn.view.groups + g) * bn.view.lanes;
    for (int64_t l = 0; l < bn.view.lanes; ++l) lanes[l] = {};
    return lanes;
  }

  // Sums of d and d (x - mean) -> dbeta and dgamma, for the channels of a group.
  void settleSums(const BatchNorm& bn, int64_t g) const {
    forChannelsOf(bn.view, g, [&](int64_t c) {
      Sums all;
      forLanesOf(bn.view, c, [&](int64_t i) {
        all.gradient += partial[i].gradient;
        all.product += partial[i].product;
      });
      dbeta[c] = static_cast<float>(all.gradient);
      dgamma[c] = static_cast<float>(all.product / std::sqrt(variance[c] + bn.epsilon));
    });
  }
};

// dx = scale * d - offset - slope * (x - mean)
struct GradientMap {
  Affine affine;
  LaneValues offset, slope;

  GradientMap(const BatchNorm& bn, const Derivative& d, int64_t g) : affine(d.affine(bn, g)) {
    const ChannelView& v = bn.view;
    const double count = static_cast<double>(v.batch) * v.pixels();
    offset = LaneValues::of(v, g, [&](int64_t c) {
      return static_cast<float>(d.gamma[c] / std::sqrt(d.variance[c] + bn.epsilon) * d.dbeta[c] /
                                count);
    });
    slope = LaneValues::of(v, g, [&](int64_t c) {
      return static_cast<float>(d.gamma[c] / (d.variance[c] + bn.epsilon) * d.dgamma[c] / count);
    });
  }

  Vec apply(Vec x, Vec d, int i) const {
    return affine.scale.vec(i) * d - offset.vec(i) - slope.vec(i) * (x - affine.mean.vec(i));
  }
};

// The derivative's two passes: sums(affine, b, g, lanes) adds those of one image of one group, then
// dx is written of what passed(io, map.affine, at, i, x) gives of the gradient.
template <bool stream, class T, class AddSums, class Passed>
void differentiate(const BatchNorm& bn, const Derivative& d, const T* x, T* dx, AddSums sums,
                   Passed passed) {
  const ChannelView& v = bn.view;
  const auto first = [&](int64_t g) {
    return [&, g, affine = d.affine(bn, g)](int64_t b) { sums(affine, b, g, d.cleared(bn, b, g)); };
  };
  const auto second = [&](int64_t g) {
    return [&, g, map = GradientMap(bn, d, g)](int64_t b) {
      forSpans(v, b, g, [&](auto io, auto vecs, int64_t offset, int64_t rows) {
        for (int64_t r = 0; r < rows; ++r)
          for (int i = 0; i < vecs; ++i) {
            const int64_t at = offset + r * v.rowStride + i * kVec;
            const Vec value = io.load(x + at);
            put<stream>(io, dx + at, map.apply(value, passed(io, map.affine, at, i, value), i));
          }
      });
    };
  };
  twoPasses(
      v, first, [&](int64_t g) { d.settleSums(bn, g); }, second);
}

inline int64_t vectorsOf(const ChannelView& v) { return v.lanes > kVec ? v.lanes / kVec : 1; }

}  // namespace lrscope::norm::LRSCOPE_WIDTH
