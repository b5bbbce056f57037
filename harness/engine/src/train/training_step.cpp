#include "petlab/engine/training_step.hpp"

#include "petlab/engine/losses.hpp"
#include "petlab/engine/precision.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace petlab::engine {
namespace {

/// Values of one activation of the image tower for the images of a task.
std::int64_t activation_values(const sdk::BackboneShape& shape, const TaskBatch& batch) {
  const std::int64_t grid = shape.image_size / shape.patch_size;
  return static_cast<std::int64_t>(batch.positions.size()) * (grid * grid + 1) * shape.vision.width;
}

}  // namespace

std::vector<std::vector<std::size_t>> step_pieces(const StepContext& context, const Step& step) {
  std::vector<std::int64_t> tasks;
  for (const TaskBatch& batch : step)
    tasks.push_back(batch.task);
  if (!context.backbone.modifies_vision()) {
    std::vector<std::size_t> all(step.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = i;
    return {all};
  }
  std::vector<std::vector<std::size_t>> pieces;
  std::int64_t values = 0;
  for (const std::vector<std::size_t>& together : context.backbone.connected_tasks(tasks)) {
    std::int64_t more = 0;
    for (const std::size_t i : together)
      more += activation_values(context.backbone.shape(), step[i]);
    if (pieces.empty() || values + more > context.piece_values) {
      pieces.emplace_back();
      values = 0;
    }
    pieces.back().insert(pieces.back().end(), together.begin(), together.end());
    values += more;
  }
  for (std::vector<std::size_t>& piece : pieces)
    std::sort(piece.begin(), piece.end());
  return pieces;
}

std::vector<double> batch_shares(const StepContext& context, const Step& step) {
  if (context.training.sampler != Sampler::union_of_tasks) return {};
  std::vector<std::int64_t> tasks;
  for (const TaskBatch& batch : step)
    tasks.push_back(batch.task);
  const auto unions = context.backbone.connected_tasks(tasks);
  std::vector<double> shares(step.size());
  for (const std::vector<std::size_t>& members : unions) {
    double images = 0.0;
    for (const std::size_t i : members)
      images += static_cast<double>(step[i].positions.size());
    if (context.training.task_loss == TaskLoss::mean) images *= static_cast<double>(unions.size());
    for (const std::size_t i : members)
      shares[i] = static_cast<double>(step[i].positions.size()) / images;
  }
  return shares;
}

std::vector<double> batch_weights(const StepContext& context, const Step& step) {
  std::vector<double> weights = batch_shares(context, step);
  const bool is_mean = context.training.task_loss == TaskLoss::mean;
  if (weights.empty())
    weights.assign(step.size(), is_mean ? 1.0 / static_cast<double>(step.size()) : 1.0);
  return weights;
}

std::vector<at::Tensor> backward_step(const StepContext& context, const Step& step,
                                      const StepPlace& place, const std::vector<double>& weights) {
  const std::int64_t kept_layers = context.images.kept_layers(
      context.backbone.untouched_vision_layers(), context.training.epochs);
  const std::vector<double> shares = weights.empty() ? batch_shares(context, step) : weights;
  std::vector<at::Tensor> losses(step.size());
  for (const std::vector<std::size_t>& piece : step_pieces(context, step)) {
    std::vector<at::Tensor> of_piece;
    {
      std::vector<std::int64_t> tasks;
      std::vector<TaskImages> inputs;
      std::vector<at::Tensor> labels;
      for (const std::size_t i : piece) {
        tasks.push_back(step[i].task);
        inputs.push_back(context.images.images(step[i], place.epoch, kept_layers,
                                               context.backbone.needs_frozen_features()));
        labels.push_back(context.images.labels(step[i]));
      }
      const AutocastScope autocast(context.device, context.training.precision);
      const AdaptedBackbone::Prepared prepared =
          context.backbone.prepare(tasks, &context.noise, place.before);
      of_piece = context.backbone.losses(prepared, inputs, labels);
    }
    for (std::size_t i = 0; i < piece.size(); ++i)
      losses[piece[i]] = of_piece[i].detach();
    if (!shares.empty()) {
      for (std::size_t i = 0; i < piece.size(); ++i)
        of_piece[i] = of_piece[i] * shares[piece[i]];
      combine(of_piece, TaskLoss::sum).backward();
      continue;
    }
    // A mean over tasks is one over those of the whole step.
    const bool whole = piece.size() == step.size();
    at::Tensor loss = combine(of_piece, whole ? context.training.task_loss : TaskLoss::sum);
    if (!whole && context.training.task_loss == TaskLoss::mean)
      loss = loss / static_cast<double>(step.size());
    loss.backward();
  }
  return losses;
}

}  // namespace petlab::engine
