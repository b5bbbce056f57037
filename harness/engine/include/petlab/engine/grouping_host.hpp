#pragma once

#include "petlab/engine/adapter_checks.hpp"
#include "petlab/engine/failure_context.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/engine/train_images.hpp"
#include "petlab/results/record.hpp"
#include "petlab/sdk/grouping.hpp"
#include "petlab/sdk/method.hpp"

#include <ATen/core/Generator.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace petlab::engine {

/// What the warm-up before a grouping needs of the run. Everything outlives the host.
struct WarmUpContext {
  const clip::Backbone& backbone;
  const sdk::Method& method;
  std::string method_name;
  std::string text_template;
  bool task_dependent;  ///< as in sdk::MethodEntry
  const AdapterChecks& checks;
  const std::vector<Task>& tasks;
  const Training& training;
  std::uint64_t seed;  ///< of the run
  TrainImages& images;
  FailureContext& where;
  Progress& progress;
  std::vector<results::EpochRecord>& epochs;
};

class BranchWarmUp;
class JointWarmUp;

/// Lends a grouping strategy adapters of the run's method and ways to train them. What a strategy
/// does not ask for is not made and costs nothing.
class WarmUpHost final : public sdk::GroupingHost {
 public:
  explicit WarmUpHost(const WarmUpContext& context);
  ~WarmUpHost() override;

  [[nodiscard]] const std::vector<std::string>& tasks() const override { return names_; }
  [[nodiscard]] std::int64_t steps_per_epoch() const override;
  [[nodiscard]] std::int64_t run_epochs() const override { return context_.training.epochs; }

  // Where it is not said otherwise: joint_warm_up.hpp.
  [[nodiscard]] std::vector<sdk::SharedParameter> shared_parameters() override;
  [[nodiscard]] double learning_rate() const override { return context_.training.learning_rate; }
  [[nodiscard]] at::Tensor task_gradients() override;
  [[nodiscard]] at::Tensor task_losses() override;
  [[nodiscard]] at::Tensor losses_after_step(std::int64_t task, double learning_rate) override;
  void step() override;
  void joint_step() override;

  /// subset_training.hpp.
  [[nodiscard]] at::Tensor losses_of_training(const std::vector<std::int64_t>& tasks,
                                              std::int64_t epochs, double held_out) override;

  /// branch_warm_up.hpp.
  [[nodiscard]] at::Tensor branch_losses(std::int64_t branches) override;
  void branch_step(const at::Tensor& loss, const std::vector<at::Tensor>& own,
                   double learning_rate) override;

  [[nodiscard]] std::vector<sdk::ScoredPartition> search(const at::Tensor& affinity,
                                                         std::int64_t groups,
                                                         sdk::PartitionObjective objective,
                                                         std::int64_t keep) const override;
  [[nodiscard]] at::Generator& generator() override { return generator_; }

  /// What the adapter that all tasks share has become; empty where the strategy asked for none.
  [[nodiscard]] std::vector<sdk::NamedTensor> shared_values() const;

  /// Records an epoch of warm-up that was not finished.
  void finish();

  /// Images that went through the image tower for the grouping, those of the run's kept features
  /// left out.
  [[nodiscard]] std::int64_t images_encoded() const;

 private:
  [[nodiscard]] JointWarmUp& joint();

  const WarmUpContext& context_;
  std::vector<std::string> names_;
  at::Generator generator_;
  std::unique_ptr<JointWarmUp> joint_;
  std::unique_ptr<BranchWarmUp> branches_;
  std::int64_t trainings_ = 0;
  std::int64_t subset_images_ = 0;
};

/// Lets the strategy find a grouping and checks what it gives. Throws Error(plugin) naming the
/// strategy for a partition or an affinity that breaks the contract.
[[nodiscard]] sdk::GroupingResult find_grouping(const sdk::Grouping& grouping,
                                                const std::string& strategy,
                                                sdk::GroupingHost& host, FailureContext& where);

/// A partition of task indices with the names of the tasks.
[[nodiscard]] results::Partition named_partition(const sdk::Partition& partition,
                                                 const std::vector<std::string>& tasks);

}  // namespace petlab::engine
