#include "petlab/engine/sampler.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/seeds.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace petlab::engine {
namespace {

std::int64_t batch_count(std::int64_t images, const Batching& batching) {
  if (batching.batch < 1) {
    throw base::Error(base::ErrorKind::config,
                      "batch is " + std::to_string(batching.batch) + ", expected at least 1");
  }
  if (batching.drop_last && images >= batching.batch) return images / batching.batch;
  return (images + batching.batch - 1) / batching.batch;
}

/// The lists that batches are drawn from, as tasks.
std::vector<std::vector<std::size_t>> lists_of(const std::vector<SampledTask>& tasks,
                                               const Batching& batching) {
  if (!batching.unions.empty()) return batching.unions;
  std::vector<std::vector<std::size_t>> lists;
  for (std::size_t t = 0; t < tasks.size(); ++t)
    lists.push_back({t});
  return lists;
}

/// The list as if its images were those of one task; of a single task, that task.
SampledTask joined(const std::vector<SampledTask>& tasks, const std::vector<std::size_t>& list) {
  if (list.size() == 1) return tasks[list.front()];
  SampledTask all;
  for (const std::size_t t : list) {
    // A length before each name, so that no two lists of names are one text.
    all.name += "/" + std::to_string(tasks[t].name.size()) + ":" + tasks[t].name;
    all.images += tasks[t].images;
  }
  return all;
}

/// Positions in the joined list as batches of its tasks.
Step parted(const std::vector<SampledTask>& tasks, const std::vector<std::size_t>& list,
            const std::vector<std::int64_t>& positions) {
  std::map<std::size_t, std::vector<std::int64_t>> by_task;
  for (std::int64_t position : positions) {
    std::size_t place = 0;
    while (position >= tasks[list[place]].images)
      position -= tasks[list[place++]].images;
    by_task[list[place]].push_back(position);
  }
  Step step;
  for (auto& [task, own] : by_task)
    step.push_back({static_cast<std::int64_t>(task), std::move(own)});
  return step;
}

}  // namespace

std::int64_t steps_per_epoch(const std::vector<SampledTask>& tasks, const Batching& batching) {
  std::int64_t steps = 0;
  for (const std::vector<std::size_t>& list : lists_of(tasks, batching))
    steps = std::max(steps, batch_count(joined(tasks, list).images, batching));
  return steps;
}

std::vector<std::vector<std::int64_t>> task_batches(const SampledTask& task,
                                                    const Batching& batching, std::uint64_t seed,
                                                    std::int64_t epoch) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(task.images));
  std::iota(order.begin(), order.end(), 0);
  base::SplitMix64 random(
      derive_seed(seed, {"order", task.name}, {static_cast<std::uint64_t>(epoch)}));
  base::shuffle(order, random);

  std::vector<std::vector<std::int64_t>> batches(
      static_cast<std::size_t>(batch_count(task.images, batching)));
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t batch = i / static_cast<std::size_t>(batching.batch);
    if (batch < batches.size()) batches[batch].push_back(order[i]);
  }
  return batches;
}

std::vector<Step> epoch_steps(const std::vector<SampledTask>& tasks, const Batching& batching,
                              std::uint64_t seed, std::int64_t epoch) {
  const auto n_steps = static_cast<std::size_t>(steps_per_epoch(tasks, batching));
  std::vector<Step> steps(n_steps);
  for (const std::vector<std::size_t>& list : lists_of(tasks, batching)) {
    const auto batches = task_batches(joined(tasks, list), batching, seed, epoch);
    for (std::size_t b = 0; b < batches.size(); ++b) {
      // The middle of the b-th of as many equal stretches of the epoch as there are batches.
      Step& step = steps[(2 * b + 1) * n_steps / (2 * batches.size())];
      for (TaskBatch& part : parted(tasks, list, batches[b]))
        step.push_back(std::move(part));
    }
  }
  for (Step& step : steps)
    std::sort(step.begin(), step.end(),
              [](const TaskBatch& a, const TaskBatch& b) { return a.task < b.task; });
  return steps;
}

}  // namespace petlab::engine
