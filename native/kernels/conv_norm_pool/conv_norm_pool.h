// A network's first block as one: convolution of images, batch norm, ReLU where it follows, and 2x2
// max pooling. The convolution's output x, which is larger than all else in the step, is never in
// memory, nor is its derivative.
//
// With P_t the values of tap t (input channel, kernel row and column) over the n places of x, and w
// an output channel's weights, all that is asked of x follows from the moments of the taps,
// m = mean P and C = covariance of P, which are taken once, in double:
//
//   mean x = w m + bias        variance x = w C w
//
// The derivative needs of the gradient d, which only pooled places have, S_t = sum d P_t alone:
//
//   dbeta = sum d              dgamma = (w S + (bias - mean x) dbeta) / deviation
//   dw_t = gamma / deviation (S_t - dbeta m_t - dgamma / deviation (C w)_t)
//
// The bias has no influence on a normalised value; its derivative is 0.
#pragma once
#include <memory>
#include <vector>

#include "kernels/kernels.h"

namespace lrscope::conv_norm_pool {

// Shapes, whichever instruction they are of.
struct Shapes {
  Tensor x, weight, y;
  Pair padding;

  int64_t kernelHeight() const { return weight.dim(2); }
  int64_t kernelWidth() const { return weight.dim(3); }
  int64_t channels() const { return x.dim(1); }
  int64_t outputs() const { return weight.dim(0); }
  // The one behind the weights' is 1 everywhere.
  int64_t taps() const { return channels() * kernelHeight() * kernelWidth() + 1; }
  int64_t pooledHeight() const { return y.dim(2); }
  int64_t pooledWidth() const { return y.dim(3); }
  // Of a row of an image between the zeros that stand for the padding.
  int64_t rowValues() const { return x.dim(3) + 2 * padding[1]; }
  double places() const { return 4.0 * y.dim(0) * pooledHeight() * pooledWidth(); }

  // Sums are taken part by part, and added in the order of the parts: bands of pooled rows of an
  // image, as many as the shapes alone say, so that no result depends on the threads.
  int64_t bands() const;
  int64_t parts() const { return y.dim(0) * bands(); }
};

// The symmetric sums over places of P_t P_u, as a square whose upper triangle counts.
inline int64_t momentCount(int64_t taps) { return taps * taps; }

// What a loop over parts is given; packed weights are (tap, output).
struct Loop {
  const Shapes& shapes;
  const void* x;
  float* own;    // memory of each thread, `ownFloats` of it
  double* sums;  // of each part
};
struct Normalisation {
  const float *weights, *mean, *scale, *beta;  // mean: less the bias
  bool relu;
  void* y;
  uint8_t* positions;  // null where nothing is remembered
};

constexpr int32_t kBlocked = 255;

// For one width of vector; as winograd/variant.h.
struct Variant {
  bool (*takes)(const Tensor& y);
  int64_t (*ownFloats)(const Shapes& shapes);
  void (*sumMoments)(const Loop& loop);
  void (*normalise)(const Loop& loop, const Normalisation& to);
  void (*sumGradients)(const Loop& loop, const void* dy, const uint8_t* positions);
};
extern const Variant* const kAvx2;
extern const Variant* const kAvx512;

}  // namespace lrscope::conv_norm_pool
