// The matrix phases of an optimizer: Newton-Schulz, means of rows and columns, and values of rows
// or columns spread over the matrix. The (out, in) matrix of a tensor is its logical order; a
// tensor in another layout is reordered into the workspace and back.
#include <omp.h>

#include <cmath>
#include <cstring>

#include "kernels/kernels.h"
#include "optimizer/program.h"

namespace lrscope {

namespace {

constexpr size_t kLine = 64;

size_t alignedFloats(int64_t count) {
  return (static_cast<size_t>(count) * sizeof(float) + kLine - 1) / kLine * kLine / sizeof(float);
}

// A tensor and its row-major copy; no copy where it is row-major itself.
class LogicalOrder {
 public:
  LogicalOrder(const Operand& tensor, float* copy) : tensor_(tensor), copy_(copy) {
    if (tensor.layout == plainLayout(tensor.shape.size())) return;
    Tensor plain = tensor;
    plain.layout = plainLayout(tensor.shape.size());
    const auto memory = [](const Tensor& of, void* data) {
      return dnnl::memory(descriptor(of), onednn::engine(), data);
    };
    // Placed once: oneDNN writes the padding of a blocked memory whenever it is placed.
    ours_ = memory(tensor, tensor.fixed);
    theirs_ = memory(plain, copy);
    read_ = dnnl::reorder(ours_, theirs_);
    write_ = dnnl::reorder(theirs_, ours_);
    reorders_ = true;
  }

  float* gather() {
    if (!reorders_) return reinterpret_cast<float*>(tensor_.fixed);
    read_.execute(onednn::stream(), ours_, theirs_);
    onednn::stream().wait();
    return copy_;
  }
  // Where to write, for scatter to put in place.
  float* target() { return reorders_ ? copy_ : reinterpret_cast<float*>(tensor_.fixed); }
  void scatter() {
    if (!reorders_) return;
    write_.execute(onednn::stream(), theirs_, ours_);
    onednn::stream().wait();
  }

 private:
  Operand tensor_;
  float* copy_;
  bool reorders_ = false;
  dnnl::memory ours_, theirs_;
  dnnl::reorder read_, write_;
};

// C = alpha A B + beta C, row-major; b transposed where asked.
void multiply(bool transposeB, int64_t m, int64_t n, int64_t k, float alpha, const float* a,
              const float* b, float beta, float* c) {
  const dnnl_status_t status = dnnl_sgemm('N', transposeB ? 'T' : 'N', m, n, k, alpha, a, k, b,
                                          transposeB ? k : n, beta, c, n);
  if (status != dnnl_success) throw Refusal("oneDNN could not multiply the optimizer's matrices");
}

class MatrixStep final : public Step {
 public:
  MatrixStep(const Phase& phase, const Segment& segment, float* workspace)
      : phase_(phase),
        rows_(segment.rows),
        columns_(segment.columns),
        source_(segment.memory[phase.source], workspace),
        target_(segment.memory[phase.target], workspace),
        workspace_(workspace) {}

  void run(const RunContext&) override {
    switch (phase_.matrix) {
      case MatrixOp::none:
        return;
      case MatrixOp::newtonSchulz:
        newtonSchulz();
        return;
      case MatrixOp::rowMean:
        rowMean();
        return;
      case MatrixOp::columnMean:
        columnMean();
        return;
      case MatrixOp::spreadRows:
      case MatrixOp::spreadColumns:
        spread(phase_.matrix == MatrixOp::spreadRows);
        return;
    }
  }

 private:
  void rowMean() {
    const float* x = source_.gather();
    float* to = target_.target();
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < rows_; ++r) {
      double sum = 0;
      for (int64_t c = 0; c < columns_; ++c) sum += x[r * columns_ + c];
      to[r] = static_cast<float>(sum / static_cast<double>(columns_));
    }
  }

  void columnMean() {
    const float* x = source_.gather();
    float* to = target_.target();
    // A few columns at a time, so that each line of the matrix is read once.
    constexpr int64_t kColumns = 64;
#pragma omp parallel for schedule(static)
    for (int64_t from = 0; from < columns_; from += kColumns) {
      const int64_t count = std::min(kColumns, columns_ - from);
      double sums[kColumns] = {};
      for (int64_t r = 0; r < rows_; ++r)
        for (int64_t c = 0; c < count; ++c) sums[c] += x[r * columns_ + from + c];
      for (int64_t c = 0; c < count; ++c)
        to[from + c] = static_cast<float>(sums[c] / static_cast<double>(rows_));
    }
  }

  void spread(bool rows) {
    const float* x = source_.gather();
    float* to = target_.target();
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < rows_; ++r) {
      float* row = to + r * columns_;
      if (rows)
        std::fill_n(row, columns_, x[r]);
      else
        std::copy_n(x, columns_, row);
    }
    target_.scatter();
  }

  // Jordan et al. 2024: each step brings the singular values nearer to 1.
  void newtonSchulz() {
    const bool transposed = rows_ > columns_;
    const int64_t m = std::min(rows_, columns_), n = std::max(rows_, columns_), count = m * n;
    // The workspace's first part is where a reordered source arrives.
    float* x = workspace_;
    float* next = x + alignedFloats(count);
    float* square = next + alignedFloats(count);
    float* polynomial = square + alignedFloats(m * m);

    const float* from = source_.gather();
    double squares = 0;
    for (int64_t i = 0; i < count; ++i) squares += static_cast<double>(from[i]) * from[i];
    const auto scale = static_cast<float>(1 / (std::sqrt(squares) + phase_.epsilon));
    const auto at = [&](int64_t i, int64_t j) { return transposed ? j * m + i : i * n + j; };
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) next[i * n + j] = from[at(i, j)] * scale;
    std::swap(x, next);

    const auto a = static_cast<float>(phase_.coefficients[0]);
    const auto b = static_cast<float>(phase_.coefficients[1]);
    const auto c = static_cast<float>(phase_.coefficients[2]);
    for (int step = 0; step < phase_.steps; ++step) {
      multiply(true, m, m, n, 1, x, x, 0, square);
      std::copy_n(square, m * m, polynomial);
      multiply(false, m, m, m, c, square, square, b, polynomial);
      std::copy_n(x, count, next);
      multiply(false, m, n, m, 1, polynomial, x, a, next);
      std::swap(x, next);
    }

    // What is scattered lies at the workspace's beginning; x may lie there itself.
    float* to = target_.target();
    if (to == x) {
      std::copy_n(x, count, next);
      std::swap(x, next);
    }
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) to[at(i, j)] = x[i * n + j];
    target_.scatter();
  }

  Phase phase_;
  int64_t rows_, columns_;
  LogicalOrder source_, target_;
  float* workspace_;
};

}  // namespace

std::unique_ptr<Step> matrixStep(const Phase& phase, const Segment& segment,
                                 const Operand& workspace) {
  const Operand& parameter = segment.memory[0];
  if (segment.rows * segment.columns != parameter.elements())
    throw Refusal("\"" + parameter.name + "\" is no matrix of " + std::to_string(segment.rows) +
                  " x " + std::to_string(segment.columns));
  const int64_t side = std::min(segment.rows, segment.columns);
  const size_t floats =
      2 * alignedFloats(segment.rows * segment.columns) + 2 * alignedFloats(side * side);
  if (workspace.bytes < floats * sizeof(float))
    throw Refusal("the update of \"" + parameter.name + "\" needs a workspace of " +
                  std::to_string(floats * sizeof(float)) + " bytes; it has " +
                  std::to_string(workspace.bytes));
  return std::make_unique<MatrixStep>(phase, segment, reinterpret_cast<float*>(workspace.fixed));
}

}  // namespace lrscope
