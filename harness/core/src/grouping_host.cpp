#include "petlab/core/grouping_host.hpp"

#include "petlab/core/partition_search.hpp"
#include "petlab/core/precision.hpp"
#include "petlab/core/seeds.hpp"
#include "petlab/sdk/error.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <chrono>
#include <numeric>
#include <utility>

namespace petlab::core {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<double> matrix(const at::Tensor& affinity) {
  const at::Tensor values = affinity.detach().to(at::kCPU, at::kDouble).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

}  // namespace

struct WarmUpHost::Shared {
  Shared(const WarmUpContext& context, const std::vector<std::string>& names)
      : adapters(make_adapters(
            context.method, context.method_name,
            {context.backbone, context.tasks,
             [&context](std::size_t task) { return context.images.plain_features(task); }},
            arrange(Sharing::joint, names), derive_seed(context.seed, {"warm-up"}), context.where)),
        parameters(adapters.trainable()),
        backbone(context.backbone, adapters, context.tasks, context.text_template,
                 context.task_dependent, context.checks, context.where),
        noise(at::detail::createCPUGenerator(derive_seed(context.seed, {"warm-up", "noise"}))),
        optimizer(context.training, parameters),
        log(context.tasks),
        epoch_start(Clock::now()) {
    optimizer.set_learning_rate(context.training.learning_rate);
    log.begin_epoch(0);
  }

  /// Where a task is in its own order of images.
  struct Cursor {
    std::int64_t epoch = -1;
    std::size_t next = 0;
    std::vector<std::vector<std::int64_t>> batches;
  };

  Adapters adapters;
  std::vector<at::Tensor> parameters;
  AdaptedBackbone backbone;
  at::Generator noise;
  Optimizer optimizer;
  LossLog log;
  Clock::time_point epoch_start;
  std::int64_t epoch = 0;
  std::int64_t steps = 0;  ///< of this epoch
  std::int64_t drawn = 0;  ///< steps in all
  std::vector<Cursor> cursors;
  at::Tensor gradients;  ///< [n_tasks, n_parameters] of the last task_gradients(), on the device
};

WarmUpHost::WarmUpHost(const WarmUpContext& context)
    : context_(context),
      sampled_(context.images.sampled_tasks()),
      generator_(at::detail::createCPUGenerator(derive_seed(context.seed, {"grouping"}))) {
  for (const Task& task : context.tasks)
    names_.push_back(task.name);
}

WarmUpHost::~WarmUpHost() = default;

WarmUpHost::Shared& WarmUpHost::shared() {
  if (shared_ == nullptr) {
    shared_ = std::make_unique<Shared>(context_, names_);
    shared_->cursors.resize(names_.size());
    if (shared_->parameters.empty()) {
      throw sdk::Error(sdk::ErrorKind::config,
                       "method '" + context_.method_name +
                           "' trains nothing, so there are no gradients to group tasks by");
    }
    context_.progress.begin("warm-up", 0);
  }
  return *shared_;
}

std::int64_t WarmUpHost::steps_per_epoch() const {
  return core::steps_per_epoch(sampled_, context_.training.batch);
}

std::int64_t WarmUpHost::images_encoded() const {
  return shared_ == nullptr ? 0 : shared_->backbone.images_encoded();
}

TaskBatch WarmUpHost::next_batch(std::int64_t task) {
  const auto t = static_cast<std::size_t>(task);
  Shared::Cursor& cursor = shared_->cursors[t];
  if (cursor.next == cursor.batches.size()) {
    cursor.batches = task_batches(sampled_[t], context_.training.batch,
                                  derive_seed(context_.seed, {"warm-up"}), ++cursor.epoch);
    cursor.next = 0;
    if (cursor.batches.empty()) {
      throw sdk::Error(sdk::ErrorKind::data, "task '" + names_[t] + "' has no training images");
    }
  }
  return {task, cursor.batches[cursor.next++]};
}

at::Tensor WarmUpHost::task_gradients() {
  Shared& run = shared();
  std::vector<std::int64_t> all(names_.size());
  std::iota(all.begin(), all.end(), 0);
  const bool frozen_tower = !run.backbone.touches_vision();
  std::vector<at::Tensor> losses;
  {
    const AutocastScope autocast(context_.backbone.device(), context_.training.precision);
    const AdaptedBackbone::Prepared prepared = run.backbone.prepare(all, &run.noise);
    for (const std::int64_t task : all) {
      const TaskBatch batch = next_batch(task);
      const std::int64_t epoch = run.cursors[static_cast<std::size_t>(task)].epoch;
      const TaskImages images = context_.images.images(batch, epoch, frozen_tower);
      at::Tensor loss = cross_entropy(run.backbone.logits(prepared, {images}).front(),
                                      context_.images.labels(batch));
      const at::Tensor& penalty = prepared.penalties[static_cast<std::size_t>(task)];
      losses.push_back(penalty.defined() ? loss + penalty : loss);
    }
  }
  run.log.add(all, losses);
  std::vector<at::Tensor> rows;
  for (std::size_t t = 0; t < losses.size(); ++t) {
    // What the tasks share, the prompts and the class features, is walked through once a task.
    const bool last = t + 1 == losses.size();
    const auto gradients = torch::autograd::grad({losses[t]}, run.parameters, /*grad_outputs=*/{},
                                                 /*retain_graph=*/!last, /*create_graph=*/false,
                                                 /*allow_unused=*/true);
    std::vector<at::Tensor> flat;
    for (std::size_t p = 0; p < gradients.size(); ++p) {
      flat.push_back(gradients[p].defined() ? gradients[p].reshape({-1})
                                            : at::zeros_like(run.parameters[p]).reshape({-1}));
    }
    rows.push_back(at::cat(flat));
  }
  run.gradients = at::stack(rows);
  context_.progress.update(++run.drawn, "");
  if (++run.steps == steps_per_epoch()) close_epoch();
  return run.gradients.to(at::kCPU, at::kFloat).clone();
}

void WarmUpHost::step() {
  if (shared_ == nullptr || !shared_->gradients.defined()) {
    throw sdk::Error(sdk::ErrorKind::plugin,
                     "a grouping called step() before it asked for gradients");
  }
  Shared& run = *shared_;
  const at::Tensor sum = run.gradients.sum(0);
  std::int64_t offset = 0;
  for (at::Tensor& parameter : run.parameters) {
    parameter.mutable_grad() =
        sum.narrow(0, offset, parameter.numel()).view(parameter.sizes()).clone();
    offset += parameter.numel();
  }
  run.optimizer.step();
  run.optimizer.zero_gradients();
  run.gradients.reset();
}

std::vector<sdk::ScoredPartition> WarmUpHost::search(const at::Tensor& affinity,
                                                     std::int64_t groups,
                                                     sdk::PartitionObjective objective,
                                                     std::int64_t keep) const {
  return search_partitions(matrix(affinity), static_cast<std::int64_t>(names_.size()), groups,
                           objective, keep);
}

void WarmUpHost::close_epoch() {
  Shared& run = *shared_;
  const std::chrono::duration<double> seconds = Clock::now() - run.epoch_start;
  context_.epochs.push_back({.epoch = run.epoch,
                             .loss = run.log.finish_epoch(),
                             .learning_rate = context_.training.learning_rate,
                             .seconds = seconds.count(),
                             .phase = "warm-up"});
  run.log.begin_epoch(++run.epoch);
  run.steps = 0;
  run.epoch_start = Clock::now();
}

void WarmUpHost::finish() {
  if (shared_ != nullptr && shared_->steps > 0) close_epoch();
}

sdk::GroupingResult find_grouping(const sdk::Grouping& grouping, const std::string& strategy,
                                  sdk::GroupingHost& host, Whereabouts& where) {
  sdk::GroupingResult result =
      where.in_plugin("find() of grouping '" + strategy + "'", [&] { return grouping.find(host); });
  const auto n_tasks = static_cast<std::int64_t>(host.tasks().size());
  const auto refuse = [&strategy](const std::string& what) {
    throw sdk::Error(sdk::ErrorKind::plugin, "grouping '" + strategy + "' gave " + what);
  };
  if (result.partitions.empty()) refuse("no partition");
  for (const auto& [partition, score] : result.partitions) {
    check_partition(partition, n_tasks, strategy.c_str());
  }
  if (result.affinity.defined()) {
    if (result.affinity.dim() != 2 || result.affinity.size(0) != n_tasks ||
        result.affinity.size(1) != n_tasks) {
      refuse("an affinity that is not one row and one column a task");
    }
    if (!at::isfinite(result.affinity).all().item<bool>()) refuse("an affinity that is not finite");
  }
  return result;
}

results::Partition named_partition(const sdk::Partition& partition,
                                   const std::vector<std::string>& tasks) {
  results::Partition named;
  for (const auto& group : partition) {
    auto& names = named.emplace_back();
    for (const std::int64_t task : group)
      names.push_back(tasks[static_cast<std::size_t>(task)]);
  }
  return named;
}

}  // namespace petlab::core
