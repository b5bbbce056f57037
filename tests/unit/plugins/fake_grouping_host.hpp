#pragma once

#include "fake_backbone.hpp"
#include "petlab/sdk/grouping.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace petlab::tests {

/// A host with made-up gradients and a search of its own over all partitions.
class FakeGroupingHost final : public sdk::GroupingHost {
 public:
  /// `gradients` gives [n_tasks, n_parameters] of a step, counted from 0.
  FakeGroupingHost(std::vector<std::string> tasks, std::int64_t steps_per_epoch,
                   std::function<at::Tensor(std::int64_t)> gradients, std::uint64_t seed = 1)
      : tasks_(std::move(tasks)),
        steps_per_epoch_(steps_per_epoch),
        gradients_(std::move(gradients)),
        generator_(make_generator(seed)) {}

  [[nodiscard]] const std::vector<std::string>& tasks() const override { return tasks_; }
  [[nodiscard]] std::int64_t steps_per_epoch() const override { return steps_per_epoch_; }
  [[nodiscard]] at::Tensor task_gradients() override {
    ++gradient_calls;
    return gradients_(step_calls);
  }
  void step() override { ++step_calls; }
  [[nodiscard]] std::vector<sdk::ScoredPartition> search(const at::Tensor& affinity,
                                                         std::int64_t groups,
                                                         sdk::PartitionObjective objective,
                                                         std::int64_t keep) const override;
  [[nodiscard]] at::Generator& generator() override { return generator_; }

  std::int64_t gradient_calls = 0;
  std::int64_t step_calls = 0;

 private:
  std::vector<std::string> tasks_;
  std::int64_t steps_per_epoch_;
  std::function<at::Tensor(std::int64_t)> gradients_;
  at::Generator generator_;
};

/// All partitions of n elements, canonical; into `groups` groups, or any number when 0.
[[nodiscard]] std::vector<sdk::Partition> all_partitions(std::int64_t n, std::int64_t groups);

}  // namespace petlab::tests
