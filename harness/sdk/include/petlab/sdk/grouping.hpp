#pragma once

#include "petlab/sdk/backbone.hpp"
#include "petlab/sdk/options.hpp"

#include <ATen/core/Generator.h>

#include <memory>
#include <string>
#include <vector>

namespace petlab::sdk {

/// A partition of the tasks: groups of task indices. Canonical form: indices ascend in a group,
/// groups ascend by their first index.
using Partition = std::vector<std::vector<std::int64_t>>;

struct ScoredPartition {
  Partition partition;
  double score = 0.0;
};

/// How a partition is scored from an affinity matrix A [n, n]. Where a pair is meant, its affinity
/// is the mean of A[i,j] and A[j,i].
enum class PartitionObjective {
  pair_sum,          ///< sum of the affinities of all pairs inside groups
  pair_sum_centred,  ///< the same of A less the mean affinity of all pairs: a pair below it costs
  group_density,     ///< sum over groups of the sum over ordered pairs, divided by the group's size
  task_mean,         ///< mean over tasks of the mean affinity to its group (0 when alone)
  task_mean_or_self,  ///< as task_mean, but a task alone scores A[i,i]
};

/// A parameter of the shared adapter, and where it stands in the rows of task_gradients().
struct SharedParameter {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t offset = 0;
};

/// What the host lends to a grouping strategy: the tasks, and ways to train adapters of the run's
/// method on them and to see what comes out. The strategy never sees images, labels, seeds or the
/// run's optimizer; nothing here looks at test images. What is trained here ends with the grouping:
/// the run then trains adapters of its own, on the groups.
class GroupingHost {
 public:
  virtual ~GroupingHost() = default;

  [[nodiscard]] virtual const std::vector<std::string>& tasks() const = 0;

  /// Optimizer steps of one epoch of the protocol.
  [[nodiscard]] virtual std::int64_t steps_per_epoch() const = 0;

  /// Epochs that the run itself trains for.
  [[nodiscard]] virtual std::int64_t run_epochs() const = 0;

  // One adapter that all tasks share, made at the first call and trained step by step at the run's
  // learning rate.

  /// Its parameters, in the order of the rows of task_gradients().
  [[nodiscard]] virtual std::vector<SharedParameter> shared_parameters() = 0;

  /// Learning rate of its steps.
  [[nodiscard]] virtual double learning_rate() const = 0;

  /// Gradients of each task's mean loss on its next training batch with respect to all parameters
  /// of the shared adapter: [n_tasks, n_parameters], fp32, on the CPU. Draws one batch a task.
  [[nodiscard]] virtual at::Tensor task_gradients() = 0;

  /// The losses whose gradients task_gradients() returned last: [n_tasks], fp64, on the CPU.
  [[nodiscard]] virtual at::Tensor task_losses() = 0;

  /// Losses of all tasks, on the batches of the last task_gradients(), after a look-ahead step of
  /// the shared adapter along the gradient of one task: theta - learning_rate * gradient.
  /// [n_tasks], fp64, on the CPU. The adapter is left as it was.
  [[nodiscard]] virtual at::Tensor losses_after_step(std::int64_t task, double learning_rate) = 0;

  /// One optimizer step along the gradients that task_gradients() returned last, their sum or mean
  /// as the protocol combines the tasks' losses.
  virtual void step() = 0;

  /// task_gradients() and step() in one, for a strategy that need not see the gradients: cheaper.
  virtual void joint_step() = 0;

  // Adapters trained from the start on some of the tasks.

  /// Trains a new adapter on `tasks` (ascending) alone for `epochs` epochs, as the run itself would
  /// train it, and returns the mean loss of each of them: [tasks.size()], fp64, on the CPU. Above
  /// 0, `held_out` is the share of each class's training images that is kept out of this training
  /// and on which the losses are taken, the same images at each call; at 0 the losses are those of
  /// the training images. All calls start from the same initial adapter.
  [[nodiscard]] virtual at::Tensor losses_of_training(const std::vector<std::int64_t>& tasks,
                                                      std::int64_t epochs, double held_out) = 0;

  // Several adapters trained side by side, each task on each of them.

  /// Mean loss of each task's next training batch under each of `branches` adapters: [n_tasks,
  /// branches], fp32, on the device, differentiable for branch_step(). The adapters are made at the
  /// first call, all with the same initial values, and their number stays. Draws one batch a task.
  [[nodiscard]] virtual at::Tensor branch_losses(std::int64_t branches) = 0;

  /// One step along the gradient of `loss`, a scalar made from what branch_losses() returned last:
  /// the run's optimizer for the branches, Adam with `learning_rate` for `own`, the strategy's own
  /// trainable fp32 leaf tensors (the same at every call).
  virtual void branch_step(const at::Tensor& loss, const std::vector<at::Tensor>& own,
                           double learning_rate) = 0;

  /// Disjoint partitions into exactly `groups` non-empty groups (0: any number), best first, at
  /// most `keep`. `affinity` is [n_tasks, n_tasks]. Exact for up to 12 tasks, and for more as long
  /// as there are no more partitions than 12 tasks have; beyond, a local search. Ties are broken by
  /// canonical order where the search is exact. The same input gives the same answer.
  [[nodiscard]] virtual std::vector<ScoredPartition> search(const at::Tensor& affinity,
                                                            std::int64_t groups,
                                                            PartitionObjective objective,
                                                            std::int64_t keep) const = 0;

  /// CPU generator seeded by the host for this grouping alone.
  [[nodiscard]] virtual at::Generator& generator() = 0;
};

struct GroupingResult {
  at::Tensor affinity;  ///< [n_tasks, n_tasks] fp64, or undefined when the strategy has none
  /// Best first; the host uses the first one and stores the others as runners-up.
  std::vector<ScoredPartition> partitions;
};

/// A strategy that finds a grouping.
class Grouping {
 public:
  virtual ~Grouping() = default;
  [[nodiscard]] virtual GroupingResult find(GroupingHost& host) const = 0;
};

using GroupingFactory = std::unique_ptr<Grouping> (*)(const Options&);

/// One grouping strategy of a plugin.
struct GroupingEntry {
  const char* name;
  const char* summary;
  const OptionSpec* options;
  std::uint64_t option_count;
  GroupingFactory make;
};

}  // namespace petlab::sdk
