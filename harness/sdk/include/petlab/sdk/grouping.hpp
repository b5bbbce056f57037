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

/// How a partition is scored from an affinity matrix A (the diagonal is not used).
enum class PartitionObjective {
  pair_sum,   ///< sum over groups of A[i,j] over unordered pairs inside the group
  task_mean,  ///< mean over tasks of the mean affinity to the other members (0 when alone)
};

/// What the host lends to a grouping strategy: the tasks, and per-task gradients of one adapter
/// that all tasks share during warm-up. The strategy never sees images, labels or the optimizer.
class GroupingHost {
 public:
  virtual ~GroupingHost() = default;

  [[nodiscard]] virtual const std::vector<std::string>& tasks() const = 0;

  /// Optimizer steps of one epoch of the protocol.
  [[nodiscard]] virtual std::int64_t steps_per_epoch() const = 0;

  /// Gradients of each task's mean loss on its next training batch with respect to all parameters
  /// of the shared adapter: [n_tasks, n_parameters], fp32, on the CPU. Draws one batch a task.
  [[nodiscard]] virtual at::Tensor task_gradients() = 0;

  /// One optimizer step along the sum of the rows that task_gradients() returned last.
  virtual void step() = 0;

  /// Partitions into exactly `groups` non-empty groups (0: any number), best first, at most `keep`.
  /// `affinity` is [n_tasks, n_tasks]; it is symmetrised. Ties are broken by canonical order.
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
