#include "grouping/warm_up_batches.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/seeds.hpp"

#include <numeric>

namespace petlab::engine {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

AdapterSource adapter_source(const WarmUpContext& context, const std::vector<Task>& tasks) {
  return {context.backbone, tasks, [&context](std::size_t task) {
            return context.images.plain_features(task % context.tasks.size());
          }};
}

WarmUpBatches::WarmUpBatches(const WarmUpContext& context, const char* adapters)
    : context_(context),
      seed_(derive_seed(context.seed, {adapters})),
      sampled_(context.images.sampled_tasks()),
      all_(context.tasks.size()),
      cursors_(context.tasks.size()),
      log_(context.tasks),
      epoch_start_(Clock::now()) {
  std::iota(all_.begin(), all_.end(), 0);
  log_.begin_epoch(0);
  context_.progress.begin("warm-up", 0);
}

TaskBatch WarmUpBatches::next_of(std::int64_t task) {
  const auto t = static_cast<std::size_t>(task);
  Cursor& cursor = cursors_[t];
  if (cursor.next == cursor.batches.size()) {
    cursor.batches = task_batches(
        sampled_[t], {context_.training.batch, context_.training.drop_last}, seed_, ++cursor.epoch);
    cursor.next = 0;
    if (cursor.batches.empty()) {
      throw base::Error(base::ErrorKind::data,
                        "task '" + sampled_[t].name + "' has no training images");
    }
  }
  return {task, cursor.batches[cursor.next++]};
}

WarmUpBatch WarmUpBatches::next(const AdaptedBackbone& backbone) {
  WarmUpBatch step;
  const std::int64_t kept =
      context_.images.kept_layers(backbone.untouched_vision_layers(), context_.training.epochs);
  for (const std::int64_t task : all_) {
    const TaskBatch batch = next_of(task);
    images_ += static_cast<std::int64_t>(batch.positions.size());
    const std::int64_t epoch = cursors_[static_cast<std::size_t>(task)].epoch;
    step.images.push_back(
        context_.images.images(batch, epoch, kept, backbone.needs_frozen_features()));
    step.labels.push_back(context_.images.labels(batch));
  }
  return step;
}

void WarmUpBatches::add(const std::vector<at::Tensor>& losses) {
  log_.add(all_, losses);
  context_.progress.update(++drawn_, "");
  if (++steps_ == steps_per_epoch(sampled_, {context_.training.batch, context_.training.drop_last}))
    close_epoch();
}

void WarmUpBatches::close_epoch() {
  const std::chrono::duration<double> seconds = Clock::now() - epoch_start_;
  context_.epochs.push_back({.epoch = epoch_,
                             .loss = log_.finish_epoch(),
                             .learning_rate = context_.training.learning_rate,
                             .seconds = seconds.count(),
                             .phase = "warm-up",
                             .steps = steps_,
                             .images = images_});
  log_.begin_epoch(++epoch_);
  steps_ = 0;
  images_ = 0;
  epoch_start_ = Clock::now();
}

void WarmUpBatches::finish() {
  if (steps_ > 0) close_epoch();
}

}  // namespace petlab::engine
