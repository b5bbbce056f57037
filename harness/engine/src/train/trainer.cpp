#include "petlab/engine/trainer.hpp"

#include "petlab/engine/flop_counter.hpp"
#include "petlab/engine/losses.hpp"
#include "petlab/engine/optimizer.hpp"
#include "petlab/engine/schedule.hpp"
#include "petlab/engine/seeds.hpp"
#include "petlab/engine/training_step.hpp"
#include "train/epoch_mean.hpp"
#include "train/training_state.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <chrono>
#include <cstdio>
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

void train(const TrainingJob& job, Progress& progress, std::vector<results::EpochRecord>& epochs,
           const TrainingLog& log) {
  const Training& training = job.training;
  const std::vector<SampledTask> sampled = job.images.sampled_tasks();
  const std::int64_t n_steps = steps_per_epoch(sampled, training.batch);
  std::vector<at::Tensor> parameters = job.adapters.trainable();
  const c10::Device device = parameters.front().device();
  Optimizer optimizer(training, parameters, job.adapters.rate_factors(training));
  LossLog losses_of_epoch(job.tasks);
  at::Generator noise = at::detail::createCPUGenerator(derive_seed(job.seed, {"noise"}));
  const StepContext context{job.backbone, job.images, training, device, noise};
  EpochMean mean(job.adapters, job.backbone.epoch_weights(training.epochs));
  TrainingState state(std::move(parameters), optimizer, mean, noise, device);
  TrainingPosition at;
  if (log.checkpoint != nullptr && log.checkpoint->position()) {
    at = *log.checkpoint->position();
    state.restore(log.checkpoint->tensors());
  }
  std::int64_t done = at.epoch * n_steps + at.step;
  progress.begin("train", training.epochs * n_steps);

  for (; at.epoch < training.epochs; at = {.epoch = at.epoch + 1}) {
    const auto start = Clock::now() - to_duration(at.epoch_seconds);
    const double learning_rate = learning_rate_at(training, at.epoch);
    optimizer.set_learning_rate(learning_rate);
    losses_of_epoch.resume_epoch(at.epoch, at.step, at.loss_sum, at.last_loss);
    const std::vector<Step> steps = epoch_steps(sampled, training.batch, job.seed, at.epoch);
    while (at.step < n_steps) {
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
      losses_of_epoch.add(present, backward_step(context, step, at.epoch));
      if (counting.has_value()) {
        counting.reset();
        *log.step_flops = flops;
      }
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
                      .learning_rate = learning_rate,
                      .seconds = seconds_since(start),
                      .phase = "train",
                      .steps = n_steps,
                      .images = at.images});
  }
  mean.put();
}

}  // namespace petlab::engine
