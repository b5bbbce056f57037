#include "petlab/engine/trainer.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/flop_counter.hpp"
#include "petlab/engine/losses.hpp"
#include "petlab/engine/optimizer.hpp"
#include "petlab/engine/schedule.hpp"
#include "petlab/engine/seeds.hpp"
#include "petlab/engine/sliced_step.hpp"
#include "petlab/engine/training_step.hpp"
#include "train/epoch_mean.hpp"
#include "train/gradient_clipping.hpp"
#include "train/training_state.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

namespace petlab::engine {
namespace {

using Clock = std::chrono::steady_clock;

Clock::duration to_duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string epoch_text(std::int64_t epoch, std::int64_t epochs, double loss) {
  char text[64];
  std::snprintf(text, sizeof text, "epoch %lld/%lld, loss %.3f", static_cast<long long>(epoch + 1),
                static_cast<long long>(epochs), loss);
  return text;
}

}  // namespace

Batching batching_of(const Training& training, const AdaptedBackbone& backbone, std::size_t tasks) {
  Batching batching(training.batch, training.drop_last);
  if (training.sampler != Sampler::union_of_tasks) return batching;
  std::vector<std::int64_t> all(tasks);
  std::iota(all.begin(), all.end(), 0);
  batching.unions = backbone.connected_tasks(all);
  return batching;
}

Training with_epochs(Training training, std::int64_t steps_per_epoch) {
  if (training.steps == 0) return training;
  training.epochs = (training.steps + steps_per_epoch - 1) / steps_per_epoch;
  if (training.epochs <= training.warmup_epochs)
    throw base::Error(base::ErrorKind::config,
                      "train.steps is " + std::to_string(training.steps) + ", which is " +
                          std::to_string(training.epochs) + " epochs of " +
                          std::to_string(steps_per_epoch) + " steps, but warmup-epochs is " +
                          std::to_string(training.warmup_epochs) +
                          ", expected fewer; --set train.warmup-epochs=0 trains without warm-up");
  return training;
}

void train(const TrainingJob& job, Progress& progress, std::vector<results::EpochRecord>& epochs,
           const TrainingLog& log) {
  const Training& training = job.training;
  const std::vector<SampledTask> sampled = job.images.sampled_tasks();
  const Batching batching = batching_of(training, job.backbone, job.tasks.size());
  const std::int64_t n_steps = steps_per_epoch(sampled, batching);
  const std::int64_t all_steps = training.steps > 0 ? training.steps : training.epochs * n_steps;
  const auto clipped = training.clip_gradient > 0.0 ? connected_parameters(job.adapters)
                                                    : std::vector<std::vector<at::Tensor>>();
  std::vector<at::Tensor> parameters = job.adapters.trainable();
  const c10::Device device = parameters.front().device();
  Optimizer optimizer(training, parameters, job.adapters.rate_factors(training));
  LossLog losses_of_epoch(job.tasks);
  at::Generator noise = at::detail::createCPUGenerator(derive_seed(job.seed, {"noise"}));
  const StepContext context{job.backbone, job.images, training, device, noise};
  std::optional<SlicedStep> sliced;
  if (training.slices > 1) sliced.emplace(context, parameters, job.ranks);
  const auto backward = [&](const Step& step, const StepPlace& place) {
    if (!sliced) return backward_step(context, step, place);
    const std::int64_t before = sliced->images_elsewhere();
    std::vector<at::Tensor> losses = sliced->backward(step, place);
    job.backbone.count_images(sliced->images_elsewhere() - before);
    return losses;
  };
  EpochMean mean(job.adapters, job.backbone.epoch_weights(training.epochs));
  TrainingState state(std::move(parameters), optimizer, mean, noise, device);
  TrainingPosition at;
  if (log.checkpoint != nullptr && log.checkpoint->position()) {
    at = *log.checkpoint->position();
    state.restore(log.checkpoint->tensors());
  }
  std::int64_t done = at.epoch * n_steps + at.step;
  progress.begin("train", all_steps);

  for (; at.epoch < training.epochs; at = {.epoch = at.epoch + 1}) {
    const auto start = Clock::now() - to_duration(at.epoch_seconds);
    const std::int64_t before = at.epoch * n_steps;
    const std::int64_t of_epoch = std::min(n_steps, all_steps - before);
    losses_of_epoch.resume_epoch(at.epoch, at.step, at.loss_sum, at.last_loss);
    const std::vector<Step> steps = epoch_steps(sampled, batching, job.seed, at.epoch);
    while (at.step < of_epoch) {
      const Step& step = steps[static_cast<std::size_t>(at.step)];
      std::vector<std::int64_t> present;
      for (const TaskBatch& batch : step) {
        present.push_back(batch.task);
        at.images += static_cast<std::int64_t>(batch.positions.size());
      }
      double flops = 0.0;
      std::optional<FlopScope> counting;
      if (log.step_flops != nullptr && done == 0) counting.emplace(flops);
      optimizer.zero_gradients();
      losses_of_epoch.add(present, backward(step, {at.epoch, before + at.step}),
                          batch_shares(context, step));
      if (counting.has_value()) {
        counting.reset();
        *log.step_flops = job.ranks != nullptr ? sum_over_ranks(*job.ranks, flops) : flops;
      }
      if (!clipped.empty()) clip_gradients(clipped, training.clip_gradient);
      optimizer.set_learning_rate(
          learning_rate_at_step(training, before + at.step, n_steps, all_steps));
      optimizer.step();
      ++at.step;
      progress.update(++done, epoch_text(at.epoch, training.epochs, losses_of_epoch.last()));
      if (log.checkpoint != nullptr && log.checkpoint->due()) {
        at.loss_sum = losses_of_epoch.sum();
        at.last_loss = losses_of_epoch.last();
        at.epoch_seconds = seconds_since(start);
        log.checkpoint->save_training(at, state.tensors());
      }
    }
    const double loss = losses_of_epoch.finish_epoch();
    mean.add(at.epoch);
    epochs.push_back({.epoch = at.epoch,
                      .loss = loss,
                      .learning_rate = learning_rate_at_step(training, before, n_steps, all_steps),
                      .seconds = seconds_since(start),
                      .phase = "train",
                      .steps = of_epoch,
                      .images = at.images});
  }
  mean.put();
}

}  // namespace petlab::engine
