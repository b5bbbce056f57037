#include "dmtg_grouping.hpp"

#include "assignment.hpp"
#include "petlab/sdk/grouping_support.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>

namespace petlab::plugins::dmtg_grouping {

DmtgGrouping::DmtgGrouping(const sdk::Options& options)
    : epochs_(options.integer("epochs")),
      groups_(options.integer("groups")),
      temperature_(options.real("temperature")),
      learning_rate_(options.real("learning-rate")),
      entropy_weight_(options.real("entropy-weight")) {}

sdk::GroupingResult DmtgGrouping::find(sdk::GroupingHost& host) const {
  const auto n_tasks = static_cast<std::int64_t>(host.tasks().size());
  const std::int64_t epochs = epochs_ > 0 ? epochs_ : host.run_epochs();
  const std::int64_t steps = epochs * host.steps_per_epoch();
  const at::Tensor logits =
      at::ones({n_tasks, groups_}, at::TensorOptions().dtype(at::kFloat)).requires_grad_();
  for (std::int64_t step = 0; step < steps; ++step) {
    const at::Tensor losses = host.branch_losses(groups_);
    sdk::check_finite_rows(losses, host, "loss", step + 1, "dmtg");
    const at::Tensor weights = gumbel_softmax(logits, temperature_, host.generator());
    at::Tensor loss = (weights.to(losses.device()) * losses).sum();
    if (entropy_weight_ > 0.0)
      loss = loss + (entropy_weight_ * assignment_entropy(logits)).to(losses.device());
    host.branch_step(loss, {logits}, learning_rate_);
  }
  const at::Tensor p = logits.detach().to(at::kDouble).softmax(-1);
  sdk::GroupingResult result;
  result.affinity = p.mm(p.t());
  result.affinity.fill_diagonal_(1.0);
  result.partitions = likeliest_partitions(logits, sdk::kKeptPartitions);
  return result;
}

}  // namespace petlab::plugins::dmtg_grouping
