#include "petlab/engine/sampler.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/seeds.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace petlab::engine {
namespace {

std::int64_t batch_count(std::int64_t images, std::int64_t batch) {
  if (batch < 1) {
    throw base::Error(base::ErrorKind::config,
                      "batch is " + std::to_string(batch) + ", expected at least 1");
  }
  return (images + batch - 1) / batch;
}

}  // namespace

std::int64_t steps_per_epoch(const std::vector<SampledTask>& tasks, std::int64_t batch) {
  std::int64_t steps = 0;
  for (const SampledTask& task : tasks)
    steps = std::max(steps, batch_count(task.images, batch));
  return steps;
}

std::vector<std::vector<std::int64_t>> task_batches(const SampledTask& task, std::int64_t batch,
                                                    std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(task.images));
  std::iota(order.begin(), order.end(), 0);
  base::SplitMix64 random(
      derive_seed(seed, {"order", task.name}, {static_cast<std::uint64_t>(epoch)}));
  base::shuffle(order, random);

  std::vector<std::vector<std::int64_t>> batches(
      static_cast<std::size_t>(batch_count(task.images, batch)));
  for (std::size_t i = 0; i < order.size(); ++i) {
    batches[i / static_cast<std::size_t>(batch)].push_back(order[i]);
  }
  return batches;
}

std::vector<Step> epoch_steps(const std::vector<SampledTask>& tasks, std::int64_t batch,
                              std::uint64_t seed, std::int64_t epoch) {
  const auto n_steps = static_cast<std::size_t>(steps_per_epoch(tasks, batch));
  std::vector<Step> steps(n_steps);
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    auto batches = task_batches(tasks[t], batch, seed, epoch);
    for (std::size_t b = 0; b < batches.size(); ++b) {
      // The middle of the b-th of as many equal stretches of the epoch as there are batches.
      const std::size_t step = (2 * b + 1) * n_steps / (2 * batches.size());
      steps[step].push_back({static_cast<std::int64_t>(t), std::move(batches[b])});
    }
  }
  return steps;
}

}  // namespace petlab::engine
