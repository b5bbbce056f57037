#pragma once

#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/sampler.hpp"
#include "petlab/engine/train_images.hpp"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace petlab::engine {

/// Values of one activation of the image tower (images x tokens x width) from which on the tasks of
/// a step go through it one piece after the other. Below, products of larger batches are faster;
/// above they are not, and the memory of a step is that of its largest piece.
inline constexpr std::int64_t kPieceValues = 400'000;

/// What the steps of a training have in common.
struct StepContext {
  AdaptedBackbone& backbone;
  TrainImages& images;
  const Training& training;
  c10::Device device;
  at::Generator& noise;
  std::int64_t piece_values = kPieceValues;
};

/// Where a step stands in the training.
struct StepPlace {
  StepPlace(std::int64_t epoch_number, std::int64_t steps_before = 0)
      : epoch(epoch_number), before(steps_before) {}

  std::int64_t epoch;   ///< that the views of the images are of
  std::int64_t before;  ///< steps of all epochs that came before
};

/// The tasks of a step (indices into it) in pieces whose forward and backward are done one after
/// the other: tasks that share an adapter stay together, and so do pieces that are small together.
[[nodiscard]] std::vector<std::vector<std::size_t>> step_pieces(const StepContext& context,
                                                                const Step& step);

/// What each batch of a step of Sampler::union_of_tasks counts, in the order of the step: its share
/// of the images of the tasks that it shares adapters with, so that the loss of these is the mean
/// over their images; with TaskLoss::mean divided by the number of such unions. Empty for other
/// samplers, where TaskLoss says it all.
[[nodiscard]] std::vector<double> batch_shares(const StepContext& context, const Step& step);

/// What the loss of each batch counts in the loss of the step, in its order: batch_shares(), or as
/// TaskLoss says.
[[nodiscard]] std::vector<double> batch_weights(const StepContext& context, const Step& step);

/// Forward and backward of one step: adds the gradients of its loss to those of the parameters.
/// `weights`: what the loss of each batch counts instead of batch_weights(). Returns the loss of
/// each task, detached, in the order of the step.
[[nodiscard]] std::vector<at::Tensor> backward_step(const StepContext& context, const Step& step,
                                                    const StepPlace& place,
                                                    const std::vector<double>& weights = {});

}  // namespace petlab::engine
