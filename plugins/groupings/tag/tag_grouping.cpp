#include "tag_grouping.hpp"

#include "petlab/sdk/grouping_support.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>

#include <string_view>
#include <vector>

namespace petlab::plugins::tag_grouping {
namespace {

Alone parse_alone(std::string_view text) {
  if (text == "self") return Alone::self;
  return text == "zero" ? Alone::zero : Alone::avoid;
}

}  // namespace

at::Tensor look_ahead_affinity(const at::Tensor& before, const at::Tensor& after) {
  return 1.0 - after / before.unsqueeze(0);
}

at::Tensor with_scores_alone(const at::Tensor& affinity, Alone alone) {
  at::Tensor result = affinity.clone();
  if (alone == Alone::self) return result;
  double score = 0.0;
  if (alone == Alone::avoid) {
    // The publication writes -1e6. Anything that outweighs the company of all tasks does the same.
    const auto n_tasks = static_cast<double>(affinity.size(0));
    score = -4.0 * n_tasks * affinity.abs().max().item<double>();
  }
  result.fill_diagonal_(score);
  return result;
}

TagGrouping::TagGrouping(const sdk::Options& options)
    : warm_up_epochs_(options.integer("warm-up-epochs")),
      every_(options.integer("every")),
      groups_(options.integer("groups")),
      look_ahead_(options.real("look-ahead")),
      alone_(parse_alone(options.text("alone"))) {}

sdk::GroupingResult TagGrouping::find(sdk::GroupingHost& host) const {
  sdk::check_groups(host, groups_, "tag");
  const auto n_tasks = static_cast<std::int64_t>(host.tasks().size());
  const double look_ahead = look_ahead_ > 0.0 ? look_ahead_ : host.learning_rate();
  const std::int64_t epochs = warm_up_epochs_ > 0 ? warm_up_epochs_ : host.run_epochs();
  const std::int64_t steps = epochs * host.steps_per_epoch();

  sdk::GroupingResult result;
  std::int64_t measured = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    if (step % every_ != 0) {
      host.joint_step();
      continue;
    }
    (void)host.task_gradients();
    std::vector<at::Tensor> after;
    for (std::int64_t task = 0; task < n_tasks; ++task)
      after.push_back(host.losses_after_step(task, look_ahead));
    const at::Tensor affinity = look_ahead_affinity(host.task_losses(), at::stack(after));
    sdk::check_finite_rows(affinity, host, "affinity", step + 1, "tag");
    result.affinity = measured == 0 ? affinity : result.affinity + affinity;
    ++measured;
    host.step();
  }
  result.affinity = result.affinity / static_cast<double>(measured);
  result.partitions = host.search(with_scores_alone(result.affinity, alone_), groups_,
                                  sdk::PartitionObjective::task_mean_or_self, sdk::kKeptPartitions);
  return result;
}

}  // namespace petlab::plugins::tag_grouping
