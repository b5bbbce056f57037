#pragma once

#include "petlab/core/adapted_backbone.hpp"
#include "petlab/core/losses.hpp"
#include "petlab/core/optimizer.hpp"
#include "petlab/core/progress.hpp"
#include "petlab/core/run_spec.hpp"
#include "petlab/core/sampler.hpp"
#include "petlab/core/train_images.hpp"
#include "petlab/results/record.hpp"
#include "petlab/sdk/grouping.hpp"

#include <ATen/core/Generator.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace petlab::core {

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
  Whereabouts& where;
  Progress& progress;
  std::vector<results::EpochRecord>& epochs;
};

/// Lends a grouping strategy one adapter of the run's method that all tasks share. It is made at
/// the first call of task_gradients(), so that strategies without gradients cost nothing, and
/// trained with the run's optimizer at its constant learning rate: in a warm-up of an epoch or two
/// the schedule's own warm-up would hardly move it. Adapter and order of images have seeds of their
/// own.
class WarmUpHost final : public sdk::GroupingHost {
 public:
  explicit WarmUpHost(const WarmUpContext& context);
  ~WarmUpHost() override;

  [[nodiscard]] const std::vector<std::string>& tasks() const override { return names_; }
  [[nodiscard]] std::int64_t steps_per_epoch() const override;
  /// One text forward for all tasks, one image forward and one backward a task.
  [[nodiscard]] at::Tensor task_gradients() override;
  void step() override;
  [[nodiscard]] std::vector<sdk::ScoredPartition> search(const at::Tensor& affinity,
                                                         std::int64_t groups,
                                                         sdk::PartitionObjective objective,
                                                         std::int64_t keep) const override;
  [[nodiscard]] at::Generator& generator() override { return generator_; }

  /// Records an epoch of warm-up that was not finished.
  void finish();

  [[nodiscard]] std::int64_t images_encoded() const;

 private:
  struct Shared;  ///< the shared adapter and its optimizer

  [[nodiscard]] Shared& shared();
  [[nodiscard]] TaskBatch next_batch(std::int64_t task);
  void close_epoch();

  const WarmUpContext& context_;
  std::vector<std::string> names_;
  std::vector<SampledTask> sampled_;
  at::Generator generator_;
  std::unique_ptr<Shared> shared_;
};

/// Lets the strategy find a grouping and checks what it gives. Throws Error(plugin) naming the
/// strategy for a partition or an affinity that breaks the contract.
[[nodiscard]] sdk::GroupingResult find_grouping(const sdk::Grouping& grouping,
                                                const std::string& strategy,
                                                sdk::GroupingHost& host, Whereabouts& where);

/// A partition of task indices with the names of the tasks.
[[nodiscard]] results::Partition named_partition(const sdk::Partition& partition,
                                                 const std::vector<std::string>& tasks);

}  // namespace petlab::core
