#include "untrained_adapters.hpp"

#include "petlab/engine/failure_context.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/tasks.hpp"

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace petlab::study {
namespace {

sdk::LabelledFeatures made_up_features(const clip::Backbone& backbone, const engine::Task& task) {
  const auto n = static_cast<std::int64_t>(task.classes.size());
  return {at::ones({n, backbone.shape().embed_dim}), at::arange(n, at::kLong)};
}

/// One group a task: more there cannot be.
sdk::Partition most_groups(std::size_t tasks) {
  sdk::Partition partition;
  for (std::size_t t = 0; t < tasks; ++t)
    partition.push_back({static_cast<std::int64_t>(t)});
  return partition;
}

}  // namespace

UntrainedAdapters untrained_adapters(const engine::RunSpec& spec, const sdk::MethodEntry& entry,
                                     const clip::Backbone& backbone,
                                     const std::vector<engine::Task>& tasks) {
  const sdk::Options options({entry.options, entry.option_count}, spec.method_options,
                             "method '" + spec.method + "'");
  UntrainedAdapters result{entry.make(options), {}};
  const engine::AdapterSource source{
      backbone, tasks, [&](std::size_t task) { return made_up_features(backbone, tasks[task]); }};
  engine::FailureContext where;
  // The partition is a guess; all adapters of a method are of one size.
  result.adapters = engine::make_adapters(
      *result.method, spec.method, source,
      engine::arrange(
          spec.sharing, engine::names_of(tasks),
          engine::has_groups(spec.sharing) ? most_groups(tasks.size()) : sdk::Partition{}),
      spec.seed, where);
  return result;
}

}  // namespace petlab::study
