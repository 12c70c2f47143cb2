// The moments of a first block's taps, in double.
//
// With X_c the rows of channel c between their zeros, the moment of the taps (c, k, l) and (d, m,
// n) is the sum over a part's places (i, j) of X_c[i + k][j + l] X_d[i + m][j + n]. All pairs with
// the same lag (m - k, n - l) sum the same products, but for the rows and columns at the ends: so
// the products are summed for one pair of a lag, and the next pair is that less the products at one
// end, plus those at the other. Of three channels and a 3x3 kernel 126 products a place are left of
// 406.
#pragma once
#include "kernels/conv_norm_pool/band.h"

namespace lrscope::conv_norm_pool::LRSCOPE_WIDTH {

#ifdef LRSCOPE_AVX512

using Doubles = __m512d;
inline Doubles loadDoubles(const double* from) { return _mm512_loadu_pd(from); }
inline void storeDoubles(double* to, Doubles v) { _mm512_storeu_pd(to, v); }
inline Doubles multiplyAddDoubles(Doubles a, Doubles x, Doubles y) {
  return _mm512_fmadd_pd(a, x, y);
}

#else

using Doubles = __m256d;
inline Doubles loadDoubles(const double* from) { return _mm256_loadu_pd(from); }
inline void storeDoubles(double* to, Doubles v) { _mm256_storeu_pd(to, v); }
inline Doubles multiplyAddDoubles(Doubles a, Doubles x, Doubles y) {
  return _mm256_fmadd_pd(a, x, y);
}

#endif

constexpr int kDoubles = kLanes / 2;

// Sums of products in a table of `columns`: what a tile adds to is so many rows and columns apart.
struct Sums {
  double* first;
  int64_t row, column;
};

// How many rows of how many places, and from row to row.
struct Span {
  int64_t rows, step, width;
};

// sums (I, J) += sign a[i] b[j]; as many as sixteen machine registers hold.
template <int I, int J>
void sumProductTile(const double* const* a, const double* const* b, const Span& span, double sign,
                    const Sums& sums) {
  Doubles sum[I][J] = {};
  double rest[I][J] = {};
  const int64_t whole = span.width / kDoubles * kDoubles;
  for (int64_t r = 0; r < span.rows; ++r) {
    const int64_t begin = r * span.step;
    for (int64_t at = begin; at < begin + whole; at += kDoubles) {
      Doubles right[J];
      for (int j = 0; j < J; ++j) right[j] = loadDoubles(b[j] + at);
      for (int i = 0; i < I; ++i) {
        const Doubles left = loadDoubles(a[i] + at);
        for (int j = 0; j < J; ++j) sum[i][j] = multiplyAddDoubles(left, right[j], sum[i][j]);
      }
    }
    for (int64_t at = begin + whole; at < begin + span.width; ++at)
      for (int i = 0; i < I; ++i)
        for (int j = 0; j < J; ++j) rest[i][j] += a[i][at] * b[j][at];
  }
  for (int i = 0; i < I; ++i)
    for (int j = 0; j < J; ++j) {
      alignas(64) double lanes[kDoubles];
      storeDoubles(lanes, sum[i][j]);
      double total = rest[i][j];
      for (const double lane : lanes) total += lane;
      sums.first[i * sums.row + j * sums.column] += sign * total;
    }
}

// The same of any number.
inline void sumProducts(const std::vector<const double*>& a, const std::vector<const double*>& b,
                        const Span& span, double sign, const Sums& sums) {
  constexpr int kMostLeft = 4, kMostRight = 3;
  using Tile =
      void (*)(const double* const*, const double* const*, const Span&, double, const Sums&);
  static constexpr Tile kTiles[kMostLeft][kMostRight] = {
      {sumProductTile<1, 1>, sumProductTile<1, 2>, sumProductTile<1, 3>},
      {sumProductTile<2, 1>, sumProductTile<2, 2>, sumProductTile<2, 3>},
      {sumProductTile<3, 1>, sumProductTile<3, 2>, sumProductTile<3, 3>},
      {sumProductTile<4, 1>, sumProductTile<4, 2>, sumProductTile<4, 3>}};
  for (size_t i = 0; i < a.size(); i += kMostLeft)
    for (size_t j = 0; j < b.size(); j += kMostRight) {
      const size_t left = std::min<size_t>(kMostLeft, a.size() - i);
      const size_t right = std::min<size_t>(kMostRight, b.size() - j);
      const int64_t shift = i * sums.row + j * sums.column;
      kTiles[left - 1][right - 1](a.data() + i, b.data() + j, span, sign,
                                  {sums.first + shift, sums.row, sums.column});
    }
}

// Of an image, by lag of rows: a table of (channel, kernel column) by (channel, kernel column),
// whose rows end with one for the ones. Where neither column is the kernel's first, the table has
// what the pair adds to the one a column to its left.
template <class T>
struct LagSums {
  const Shapes& shapes;
  const T* pixels;
  double* values;  // of the thread
  Rows rows;
  Strips strips;
  int64_t channels, kernel, count;  // count: of (channel, kernel column)
  std::vector<double> sums;

  LagSums(const Shapes& s, const T* image, double* own)
      : shapes(s),
        pixels(image),
        values(own),
        rows(s, kMomentRows),
        strips(s),
        channels(s.channels()),
        kernel(s.kernelWidth()),
        count(channels * kernel),
        sums(s.kernelHeight() * (count + 1) * count) {
    std::fill_n(ones(), kMomentRows * rows.each, 1.0);
  }

  double* ones() const { return values + rows.values(); }
  double* strip(bool right, int64_t channel, int64_t column) const {
    return ones() + kMomentRows * rows.each + strips.at(right, channel, column);
  }
  double& at(int64_t lag, int64_t left, int64_t right) {
    return sums[(lag * (count + 1) + left) * count + right];
  }

  // Of the rows from `top` on, those that a kernel at rows `top` to `end` reaches.
  void copyStrips(int64_t top, int64_t end) const {
    const int64_t height = shapes.x.dim(2), width = shapes.x.dim(3);
    const int64_t reached = end - top + shapes.kernelHeight() - 1;
    for (const bool right : {false, true})
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t l = 0; l < strips.columns; ++l) {
          double* to = strip(right, c, l);
          const int64_t column = (right ? 2 * shapes.pooledWidth() : 0) + l - shapes.padding[1];
          for (int64_t r = 0; r < reached; ++r) {
            const int64_t row = top + r - shapes.padding[0];
            const bool inside = row >= 0 && row < height && column >= 0 && column < width;
            to[r] = inside ? wide(pixels[(c * height + row) * width + column]) : 0;
          }
        }
  }

  // Products of the output's rows from `top` to `end`, of lags up to `last`; `band` is the row at
  // which the strips begin.
  void add(int64_t top, int64_t end, int64_t band, int64_t last, double sign) {
    for (int64_t row = top; row < end; row += kMomentRows) {
      rows.copy(shapes, pixels, row, values);
      const Span span{std::min(kMomentRows, end - row), rows.each, 2 * shapes.pooledWidth()};
      for (int64_t lag = 0; lag <= last; ++lag) addRows(span, lag, sign);
    }
    for (int64_t lag = 0; lag <= last; ++lag) addColumns(top - band, end - top, lag, sign);
  }

  void addRows(const Span& span, int64_t lag, double sign) {
    std::vector<const double*> left, right;
    const auto channel = [&](int64_t c) { return values + c * rows.count * rows.each; };
    for (int64_t d = 0; d < channels; ++d)
      for (int64_t n = 0; n < kernel; ++n) right.push_back(channel(d) + lag * rows.each + n);
    for (int64_t c = 0; c < channels; ++c) left.push_back(channel(c));
    if (lag == 0) left.push_back(ones());
    sumProducts(left, right, span, sign, {&at(lag, 0, 0), kernel * count, 1});
    // Without a lag of rows these are the same pairs, the other way round.
    if (lag == 0) return;
    right.clear();
    for (int64_t d = 0; d < channels; ++d) right.push_back(channel(d) + lag * rows.each);
    for (int64_t l = 1; l < kernel; ++l) {
      left.clear();
      for (int64_t c = 0; c < channels; ++c) left.push_back(channel(c) + l);
      sumProducts(left, right, span, sign, {&at(lag, l, 0), kernel * count, kernel});
    }
  }

  void addColumns(int64_t first, int64_t height, int64_t lag, double sign) {
    std::vector<const double*> left, right;
    for (const bool atRight : {false, true})
      for (int64_t l = 1; l < kernel; ++l)
        for (int64_t n = 1; n < kernel; ++n) {
          left.clear();
          right.clear();
          for (int64_t c = 0; c < channels; ++c) {
            left.push_back(strip(atRight, c, l - 1) + first);
            right.push_back(strip(atRight, c, n - 1) + first + lag);
          }
          sumProducts(left, right, {1, 0, height}, atRight ? sign : -sign,
                      {&at(lag, l, n), kernel * count, kernel});
        }
  }

  // Moments of the taps whose upper one is of kernel row k, into the upper triangle of (tap, tap).
  void store(int64_t k, double* moments) const {
    const int64_t height = shapes.kernelHeight(), taps = shapes.taps();
    const auto tap = [&](int64_t row, int64_t i) {
      return (i / kernel * height + row) * kernel + i % kernel;
    };
    for (int64_t lag = 0; lag < height - k; ++lag) {
      const double* table = sums.data() + lag * (count + 1) * count;
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < count; ++j) {
          const int64_t t = tap(k, i), u = tap(k + lag, j);
          if (lag == 0 && t > u) continue;
          double sum = 0;
          for (int64_t back = std::min(i % kernel, j % kernel); back >= 0; --back) {
            const int64_t left = i - back, right = j - back;
            const bool swapped = lag == 0 && right % kernel == 0;
            sum += swapped ? table[right * count + left] : table[left * count + right];
          }
          moments[std::min(t, u) * taps + std::max(t, u)] = sum;
        }
    }
    for (int64_t i = 0; i < count; ++i)
      moments[tap(k, i) * taps + taps - 1] = sums[count * count + i];
  }
};

// The upper triangle of each part's moments.
template <class T>
void sumMomentsOf(const Loop& loop) {
  const Shapes& s = loop.shapes;
  const int64_t pixels = s.channels() * s.x.dim(2) * s.x.dim(3), last = s.kernelHeight() - 1;
  forParts(loop, momentCount(s.taps()),
           [&](int64_t image, int64_t from, int64_t to, float* own, double* moments) {
             LagSums<T> sums(s, static_cast<const T*>(loop.x) + image * pixels,
                             reinterpret_cast<double*>(own));
             const int64_t top = 2 * from, end = 2 * to;
             sums.copyStrips(top, end);
             sums.add(top, end, top, last, 1);
             sums.store(0, moments);
             // A kernel row further down the places begin a row later, and end a row later.
             for (int64_t k = 1; k <= last; ++k) {
               sums.add(end + k - 1, end + k, top, last - k, 1);
               sums.add(top + k - 1, top + k, top, last - k, -1);
               sums.store(k, moments);
             }
           });
}

}  // namespace lrscope::conv_norm_pool::LRSCOPE_WIDTH
