#include "hoa_grouping.hpp"

#include "petlab/sdk/error.hpp"
#include "petlab/sdk/grouping_support.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <string>
#include <vector>

namespace petlab::plugins::hoa_grouping {

HoaGrouping::HoaGrouping(const sdk::Options& options)
    : epochs_(options.integer("epochs")),
      held_out_(options.real("held-out")),
      groups_(options.integer("groups")) {}

sdk::GroupingResult HoaGrouping::find(sdk::GroupingHost& host) const {
  sdk::check_groups(host, groups_, "hoa");
  const auto n_tasks = static_cast<std::int64_t>(host.tasks().size());
  const std::int64_t epochs = epochs_ > 0 ? epochs_ : host.run_epochs();
  const auto train = [&](const std::vector<std::int64_t>& tasks) {
    const at::Tensor losses = host.losses_of_training(tasks, epochs, held_out_);
    if (!losses.isfinite().all().item<bool>()) {
      std::string names;
      for (const std::int64_t task : tasks)
        names += (names.empty() ? "" : "+") + host.tasks()[static_cast<std::size_t>(task)];
      throw sdk::Error(sdk::ErrorKind::numeric,
                       "grouping 'hoa': a loss after training on " + names + " is not finite");
    }
    return losses;
  };

  sdk::GroupingResult result;
  result.affinity = at::zeros({n_tasks, n_tasks}, at::TensorOptions().dtype(at::kDouble));
  auto affinity = result.affinity.accessor<double, 2>();
  for (std::int64_t i = 0; i < n_tasks; ++i) {
    affinity[i][i] = -train({i}).item<double>();
    for (std::int64_t j = 0; j < i; ++j) {
      const at::Tensor losses = train({j, i});
      affinity[j][i] = -losses[0].item<double>();
      affinity[i][j] = -losses[1].item<double>();
    }
  }
  result.partitions = host.search(result.affinity, groups_,
                                  sdk::PartitionObjective::task_mean_or_self, sdk::kKeptPartitions);
  return result;
}

}  // namespace petlab::plugins::hoa_grouping
