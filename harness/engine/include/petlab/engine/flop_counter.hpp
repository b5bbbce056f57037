#pragma once

#include <atomic>
#include <cstdint>

namespace petlab::engine {

/// Counts the floating-point operations that its thread asks the tensor library for while it lives,
/// and those of a backward pass started by it, by looking at every operation as it is dispatched.
///
/// The convention, the same on every device and in every precision:
/// - a multiplication and an addition are two operations;
/// - matrix products and convolutions count, whatever calls them; elementwise work, reductions,
///   normalisation, softmax, look-ups and decompositions of matrices do not, nor does the
///   optimizer;
/// - attention counts all pairs of query and key, also those that a mask hides. Fused attention
///   counts two products forward and five backward, as it computes the scores a second time;
///   attention made of single products counts what is run: two and four;
/// - only what runs counts: work that a cache has saved, or a gradient that nobody needs, is free.
class FlopScope {
 public:
  /// `total` is set to zero and grows when the scope ends; it must outlive the scope. One scope at
  /// a time in a process, ended on the thread that opened it: a second one throws Error(internal).
  explicit FlopScope(double& total);
  ~FlopScope();
  FlopScope(const FlopScope&) = delete;
  FlopScope& operator=(const FlopScope&) = delete;

 private:
  double& total_;
  std::atomic<double> counted_ = 0.0;  // backward passes of a GPU run on a thread of their own
  std::uint64_t callback_ = 0;
};

/// What this thread does while it lives is not counted: work that fills a cache, and is part of no
/// step. Harmless without a scope.
class FlopPause {
 public:
  FlopPause();
  ~FlopPause();
  FlopPause(const FlopPause&) = delete;
  FlopPause& operator=(const FlopPause&) = delete;
};

}  // namespace petlab::engine
