#include "grouping/subset_training.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/evaluator.hpp"
#include "petlab/engine/seeds.hpp"
#include "petlab/engine/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace petlab::engine {
namespace {

void check(const WarmUpContext& context, const std::vector<std::int64_t>& tasks,
           std::int64_t epochs, double held_out) {
  std::int64_t last = -1;
  for (const std::int64_t task : tasks) {
    if (task <= last || task >= static_cast<std::int64_t>(context.tasks.size())) {
      throw base::Error(base::ErrorKind::plugin,
                        "a grouping wanted to train on tasks that are not a set of the run's tasks "
                        "in ascending order");
    }
    last = task;
  }
  if (tasks.empty() || epochs < 1 || !(held_out >= 0.0 && held_out < 1.0)) {
    throw base::Error(base::ErrorKind::plugin,
                      "a grouping wanted to train on no task, for no epoch, or with a held-out "
                      "share that is not 0 to below 1");
  }
}

}  // namespace

HeldOut hold_out(const Task& task, double held_out, std::uint64_t seed) {
  if (held_out == 0.0) return {task.train, task.train};
  std::vector<std::vector<std::size_t>> of_class(task.classes.size());
  for (std::size_t i = 0; i < task.train.labels.size(); ++i)
    of_class.at(static_cast<std::size_t>(task.train.labels[i])).push_back(i);
  base::SplitMix64 random(derive_seed(seed, {"held-out", task.name}));
  std::vector<bool> held(task.train.labels.size());
  for (auto& members : of_class) {
    base::shuffle(members, random);
    const auto count = static_cast<std::int64_t>(members.size());
    if (count < 2) continue;
    const auto wanted = std::llround(static_cast<double>(count) * held_out);
    for (std::int64_t i = 0; i < std::clamp<std::int64_t>(wanted, 1, count - 1); ++i)
      held[members[static_cast<std::size_t>(i)]] = true;
  }
  HeldOut result{task.train.without_rows(), task.train.without_rows()};
  for (std::size_t i = 0; i < held.size(); ++i) {
    LabelledImages& part = held[i] ? result.held : result.train;
    part.rows.push_back(task.train.rows[i]);
    part.labels.push_back(task.train.labels[i]);
  }
  if (result.held.size() == 0) {
    throw base::Error(base::ErrorKind::config,
                      "task '" + task.name +
                          "' has one training image a class, so none can be held out to compare "
                          "groups by");
  }
  return result;
}

SubsetLosses train_on_subset(const WarmUpContext& context, const std::vector<std::int64_t>& tasks,
                             std::int64_t epochs, double held_out) {
  check(context, tasks, epochs, held_out);
  std::vector<Task> members;
  std::vector<LabelledImages> held;
  for (const std::int64_t index : tasks) {
    const Task& task = context.tasks[static_cast<std::size_t>(index)];
    HeldOut parts = hold_out(task, held_out, context.seed);
    members.push_back({task.name, task.classes, std::move(parts.train)});
    held.push_back(std::move(parts.held));
  }
  Training training = context.training;
  training.epochs = epochs;
  training.steps = 0;
  training.slices = 1;  // which are of the run's own training

  TrainImages images(context.backbone, members, training.augmentation, context.seed,
                     training.precision);
  const AdapterSource source{context.backbone, members,
                             [&images](std::size_t task) { return images.plain_features(task); }};
  // The seed and the owner are the same for every set of tasks, and with them the initial values.
  const Adapters adapters = make_adapters(context.method, context.method_name, source,
                                          arrange(Sharing::joint, names_of(members)),
                                          derive_seed(context.seed, {"subsets"}), context.where);
  if (adapters.trainable().empty()) {
    throw base::Error(base::ErrorKind::config,
                      "method '" + context.method_name +
                          "' trains nothing, so there is nothing to group tasks by");
  }
  AdaptedBackbone adapted(context.backbone, adapters, members, context.text_template,
                          context.task_dependent, context.checks, context.where);
  NoProgress silent;
  std::vector<results::EpochRecord> records;
  train({.backbone = adapted,
         .adapters = adapters,
         .images = images,
         .tasks = members,
         .training = training,
         .seed = derive_seed(context.seed, {"subsets"})},
        silent, records);
  SubsetLosses result;
  for (const results::TaskResult& task :
       evaluate(adapted, context.backbone, members, held, training.precision, silent))
    result.losses.push_back(task.loss);
  result.images = adapted.images_encoded() + images.images_encoded();
  return result;
}

}  // namespace petlab::engine
