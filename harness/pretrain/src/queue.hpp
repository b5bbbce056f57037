#pragma once

#include "petlab/pretrain/losses.hpp"
#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <vector>

namespace petlab::pretrain {

/// Features of earlier batches, as further negatives of the contrast (cross-batch memory, Wang et
/// al., 2020): the weights change so little from step to step that features stay true for a while.
class Queue {
 public:
  /// Room for `capacity` pairs; 0 = none are kept.
  Queue(std::int64_t capacity, std::int64_t embed_dim, c10::Device device);

  /// Pairs that are there, 0 .. capacity.
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] at::Tensor images() const { return images_.narrow(0, 0, size_); }
  [[nodiscard]] at::Tensor texts() const { return texts_.narrow(0, 0, size_); }
  [[nodiscard]] PairFacts facts() const { return facts_.narrow(0, size_); }

  /// Takes a batch in; the oldest pairs give way. Features are detached.
  void add(const at::Tensor& images, const at::Tensor& texts, const PairFacts& facts);

  /// For a checkpoint; empty without capacity.
  [[nodiscard]] std::vector<sdk::NamedTensor> state() const;
  /// Throws base::Error(data) when something is missing.
  void load_state(const std::vector<sdk::NamedTensor>& state);

 private:
  /// Calls visit(name, tensor) for what a checkpoint holds; for const and other queues.
  static void for_each_tensor(auto& queue, const auto& visit);

  std::int64_t capacity_;
  std::int64_t size_ = 0;
  std::int64_t next_ = 0;
  at::Tensor images_;
  at::Tensor texts_;
  PairFacts facts_;
};

}  // namespace petlab::pretrain
