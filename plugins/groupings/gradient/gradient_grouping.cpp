#include "gradient_grouping.hpp"

#include "petlab/sdk/error.hpp"
#include "petlab/sdk/grouping_support.hpp"
#include "selection.hpp"

#include <string_view>

namespace petlab::plugins::gradient_grouping {
namespace {

Averaging parse_averaging(std::string_view text) {
  if (text == "momentum") return Averaging::momentum;
  return text == "cosine-of-mean" ? Averaging::cosine_of_mean : Averaging::mean_of_cosines;
}

}  // namespace

GradientGrouping::GradientGrouping(const sdk::Options& options)
    : settle_epochs_(options.integer("settle-epochs")),
      warm_up_epochs_(options.integer("warm-up-epochs")),
      warm_up_steps_(options.integer("warm-up-steps")),
      every_(options.integer("every")),
      groups_(options.integer("groups")),
      objective_(sdk::parse_objective(options.text("objective"))),
      averaging_(parse_averaging(options.text("accumulate"))),
      momentum_(options.real("momentum")),
      parameters_(options.text("parameters")),
      layer_(options.integer("layer")) {}

sdk::GroupingResult GradientGrouping::find(sdk::GroupingHost& host) const {
  sdk::check_groups(host, groups_, "gradient");
  const at::Tensor columns = select_columns(host.shared_parameters(), parameters_, layer_);
  for (std::int64_t step = 0; step < settle_epochs_ * host.steps_per_epoch(); ++step)
    host.joint_step();
  AffinityMeter meter(averaging_, momentum_);
  const std::int64_t steps =
      warm_up_steps_ > 0 ? warm_up_steps_ : warm_up_epochs_ * host.steps_per_epoch();
  for (std::int64_t step = 0; step < steps; ++step) {
    if (step % every_ != 0) {
      host.joint_step();
      continue;
    }
    const at::Tensor gradients = host.task_gradients();
    sdk::check_finite_rows(gradients, host, "gradient", step + 1, "gradient");
    meter.add(columns.defined() ? gradients.index_select(1, columns) : gradients);
    host.step();
  }
  sdk::GroupingResult result;
  result.affinity = meter.affinity();
  result.partitions = host.search(result.affinity, groups_, objective_, sdk::kKeptPartitions);
  return result;
}

}  // namespace petlab::plugins::gradient_grouping
