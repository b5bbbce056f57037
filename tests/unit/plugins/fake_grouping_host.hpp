#pragma once

#include "fake_backbone.hpp"
#include "petlab/sdk/grouping.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace petlab::tests {

/// A host with made-up gradients and losses and a search of its own over all partitions.
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
  [[nodiscard]] std::int64_t run_epochs() const override { return 2; }
  [[nodiscard]] double learning_rate() const override { return 0.25; }

  [[nodiscard]] std::vector<sdk::SharedParameter> shared_parameters() override {
    return parameters;
  }
  [[nodiscard]] at::Tensor task_gradients() override {
    ++gradient_calls;
    return gradients_(step_calls);
  }
  [[nodiscard]] at::Tensor task_losses() override { return losses(step_calls); }
  [[nodiscard]] at::Tensor losses_after_step(std::int64_t task, double learning_rate) override {
    look_aheads.push_back(learning_rate);
    return losses_after(step_calls, task);
  }
  void step() override { ++step_calls; }
  void joint_step() override {
    ++joint_calls;
    ++step_calls;
  }

  [[nodiscard]] at::Tensor losses_of_training(const std::vector<std::int64_t>& tasks,
                                              std::int64_t epochs, double held_out) override {
    trainings.push_back({tasks, epochs, held_out});
    return losses_of(tasks);
  }

  [[nodiscard]] at::Tensor branch_losses(std::int64_t branches) override {
    return losses_of_branches(step_calls, branches);
  }
  void branch_step(const at::Tensor& loss, const std::vector<at::Tensor>& own,
                   double learning_rate) override {
    ++step_calls;
    on_branch_step(loss, own, learning_rate);
  }

  [[nodiscard]] std::vector<sdk::ScoredPartition> search(const at::Tensor& affinity,
                                                         std::int64_t groups,
                                                         sdk::PartitionObjective objective,
                                                         std::int64_t keep) const override;
  [[nodiscard]] at::Generator& generator() override { return generator_; }

  struct Training {
    std::vector<std::int64_t> tasks;
    std::int64_t epochs;
    double held_out;
  };

  std::int64_t gradient_calls = 0;
  std::int64_t step_calls = 0;
  std::int64_t joint_calls = 0;
  std::vector<double> look_aheads;
  std::vector<Training> trainings;

  // What the host says, by step; of all this a test sets what its strategy asks for.
  std::vector<sdk::SharedParameter> parameters = {{"all", {1}, 0}};
  std::function<at::Tensor(std::int64_t)> losses;
  std::function<at::Tensor(std::int64_t, std::int64_t)> losses_after;
  std::function<at::Tensor(const std::vector<std::int64_t>&)> losses_of;
  std::function<at::Tensor(std::int64_t, std::int64_t)> losses_of_branches;
  std::function<void(const at::Tensor&, const std::vector<at::Tensor>&, double)> on_branch_step;

 private:
  std::vector<std::string> tasks_;
  std::int64_t steps_per_epoch_;
  std::function<at::Tensor(std::int64_t)> gradients_;
  at::Generator generator_;
};

/// All partitions of n elements, canonical; into `groups` groups, or any number when 0.
[[nodiscard]] std::vector<sdk::Partition> all_partitions(std::int64_t n, std::int64_t groups);

}  // namespace petlab::tests
