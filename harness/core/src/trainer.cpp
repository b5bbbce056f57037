#include "petlab/core/trainer.hpp"

#include "petlab/core/flop_counter.hpp"
#include "petlab/core/losses.hpp"
#include "petlab/core/optimizer.hpp"
#include "petlab/core/precision.hpp"
#include "petlab/core/schedule.hpp"
#include "petlab/core/seeds.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

namespace petlab::core {
namespace {

std::string epoch_text(std::int64_t epoch, std::int64_t epochs, double loss) {
  char text[64];
  std::snprintf(text, sizeof text, "epoch %lld/%lld, loss %.3f", static_cast<long long>(epoch + 1),
                static_cast<long long>(epochs), loss);
  return text;
}

}  // namespace

void train(AdaptedBackbone& backbone, TrainImages& images, const std::vector<Task>& tasks,
           const Training& training, std::vector<at::Tensor> parameters, c10::Device device,
           std::uint64_t seed, Progress& progress, std::vector<results::EpochRecord>& epochs,
           std::optional<double>* step_flops) {
  const std::vector<SampledTask> sampled = images.sampled_tasks();
  const std::int64_t n_steps = steps_per_epoch(sampled, training.batch);
  const bool frozen_tower = !backbone.touches_vision();
  Optimizer optimizer(training, std::move(parameters));
  LossLog log(tasks);
  at::Generator noise = at::detail::createCPUGenerator(derive_seed(seed, {"noise"}));
  progress.begin("train", training.epochs * n_steps);

  std::int64_t done = 0;
  for (std::int64_t epoch = 0; epoch < training.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    const double learning_rate = learning_rate_at(training, epoch);
    optimizer.set_learning_rate(learning_rate);
    log.begin_epoch(epoch);
    std::int64_t images_seen = 0;
    for (const Step& step : epoch_steps(sampled, training.batch, seed, epoch)) {
      std::vector<std::int64_t> present;
      std::vector<TaskImages> inputs;
      for (const TaskBatch& batch : step) {
        present.push_back(batch.task);
        images_seen += static_cast<std::int64_t>(batch.positions.size());
        inputs.push_back(images.images(batch, epoch, frozen_tower));
      }
      double flops = 0.0;
      std::optional<FlopScope> counting;
      if (step_flops != nullptr && done == 0) counting.emplace(flops);
      std::vector<at::Tensor> losses;
      {
        const AutocastScope autocast(device, training.precision);
        const AdaptedBackbone::Prepared prepared = backbone.prepare(present, &noise);
        const std::vector<at::Tensor> logits = backbone.logits(prepared, inputs);
        for (std::size_t i = 0; i < step.size(); ++i) {
          losses.push_back(
              prepared.loss_of(present[i], cross_entropy(logits[i], images.labels(step[i]))));
        }
      }
      log.add(present, losses);
      optimizer.zero_gradients();
      combine(losses, training.task_loss).backward();
      if (counting.has_value()) {
        counting.reset();
        *step_flops = flops;
      }
      optimizer.step();
      progress.update(++done, epoch_text(epoch, training.epochs, log.last()));
    }
    const double loss = log.finish_epoch();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    epochs.push_back({.epoch = epoch,
                      .loss = loss,
                      .learning_rate = learning_rate,
                      .seconds = seconds.count(),
                      .phase = "train",
                      .steps = n_steps,
                      .images = images_seen});
  }
}

}  // namespace petlab::core
