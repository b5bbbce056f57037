#include "gradient_grouping.hpp"

#include "petlab/sdk/error.hpp"

#include <string>

namespace petlab::plugins::gradient_grouping {
namespace {

// The winner and the runners-up that the host stores: all 15 partitions of 4 tasks.
constexpr std::int64_t kKept = 15;

void check_finite(const at::Tensor& gradients, const sdk::GroupingHost& host, std::int64_t step) {
  const at::Tensor finite = gradients.isfinite().all(1);  // [n_tasks]
  for (std::int64_t task = 0; task < finite.size(0); ++task)
    if (!finite[task].item<bool>())
      throw sdk::Error(sdk::ErrorKind::numeric, "grouping 'gradient': the gradient of task '" +
                                                    host.tasks()[static_cast<std::size_t>(task)] +
                                                    "' is not finite at warm-up step " +
                                                    std::to_string(step));
}

}  // namespace

GradientGrouping::GradientGrouping(const sdk::Options& options)
    : warm_up_epochs_(options.integer("warm-up-epochs")),
      groups_(options.integer("groups")),
      objective_(options.text("objective") == "pair-sum" ? sdk::PartitionObjective::pair_sum
                                                         : sdk::PartitionObjective::task_mean),
      averaging_(options.text("accumulate") == "mean-of-cosines" ? Averaging::mean_of_cosines
                                                                 : Averaging::cosine_of_mean) {}

sdk::GroupingResult GradientGrouping::find(sdk::GroupingHost& host) const {
  const auto n_tasks = static_cast<std::int64_t>(host.tasks().size());
  if (groups_ > n_tasks)
    throw sdk::Error(sdk::ErrorKind::config, "grouping 'gradient': option 'groups' is " +
                                                 std::to_string(groups_) + ", expected at most " +
                                                 std::to_string(n_tasks) +
                                                 ", the number of tasks (0 stands for any)");

  AffinityMeter meter(averaging_);
  const std::int64_t steps = warm_up_epochs_ * host.steps_per_epoch();
  for (std::int64_t step = 1; step <= steps; ++step) {
    const at::Tensor gradients = host.task_gradients();
    check_finite(gradients, host, step);
    meter.add(gradients);
    host.step();
  }
  sdk::GroupingResult result;
  result.affinity = meter.affinity();
  result.partitions = host.search(result.affinity, groups_, objective_, kKept);
  return result;
}

}  // namespace petlab::plugins::gradient_grouping
