#pragma once

#include "petlab/base/square_fit.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace petlab::datasets {

/// A stretch of the output positions of a resize along one axis.
struct Stretch {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// For each output position of a stretch: the input positions it is mixed from and their weights in
/// 22-bit fixed point, which are Pillow's to the bit. `padded` positions are those of the window
/// and as many behind it, of weight 0, as make a multiple of kGroup.
class ResizeWeights {
 public:
  static constexpr int kPrecisionBits = 32 - 8 - 2;  ///< 8 of pixel, 2 for the kernel's overshoot
  static constexpr int kGroup = 4;
  /// A weight is `upper * 2^kLowerBits + lower` in two 16-bit numbers, for instructions that
  /// multiply such; exactly.
  static constexpr int kLowerBits = 11;

  struct Window {
    int first = 0;
    int count = 0;
  };

  ResizeWeights(int in_size, std::int64_t out_size, Stretch stretch,
                base::SquareFit::Filter filter = base::SquareFit::Filter::bicubic);

  [[nodiscard]] std::size_t size() const { return windows_.size(); }
  [[nodiscard]] Window window(std::size_t i) const { return windows_[i]; }
  [[nodiscard]] int padded() const { return padded_; }
  /// `padded` weights of output `i`.
  [[nodiscard]] const std::int32_t* weights(std::size_t i) const {
    return &weights_[i * static_cast<std::size_t>(padded_)];
  }
  /// The same, split: for each group kGroup upper parts, then kGroup lower parts.
  [[nodiscard]] const std::int16_t* split(std::size_t i) const {
    return &split_[i * 2 * static_cast<std::size_t>(padded_)];
  }
  /// The input positions that all windows together read.
  [[nodiscard]] Stretch input() const;

 private:
  std::vector<Window> windows_;
  std::vector<std::int32_t> weights_;
  std::vector<std::int16_t> split_;
  int padded_ = 0;
};

/// The two passes over 8-bit RGB; exact, by the widest instructions that the machine has.
struct ResizeKernels {
  /// How many bytes behind the end of a row the kernels may read (and, of an output row, write).
  static constexpr std::size_t kSlack = 32;

  /// One row: out[i] = weighted mean of the pixels in window i, for all i.
  void (*row)(const std::uint8_t* in, const ResizeWeights& weights, std::uint8_t* out);

  /// One output row of `bytes` bytes from rows that lie `stride` bytes apart; `in` is the row at
  /// position `first`, output `i` of the weights is wanted.
  void (*column)(const std::uint8_t* in, std::int64_t first, std::size_t stride, std::size_t bytes,
                 const ResizeWeights& weights, std::size_t i, std::uint8_t* out);
};

[[nodiscard]] const ResizeKernels& portable_kernels();
/// The fastest for this machine.
[[nodiscard]] const ResizeKernels& best_kernels();

}  // namespace petlab::datasets
