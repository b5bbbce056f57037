#pragma once

#include "petlab/sdk/adapter.hpp"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

// Adapters that take part in their training: with a loss of their own, or with a mean of their
// epochs in place of the last one. Plugins that know nothing of this header stay as they are.
namespace petlab::sdk {

/// Tensors of a training step that a loss needs: bits of TrainingAdapter::step_tensors().
namespace step_tensor {
inline constexpr std::uint32_t kImageFeatures = 1U << 0U;
inline constexpr std::uint32_t kTextFeatures = 1U << 1U;
inline constexpr std::uint32_t kFrozenImageFeatures = 1U << 2U;
inline constexpr std::uint32_t kFrozenTextFeatures = 1U << 3U;
inline constexpr std::uint32_t kLogits = 1U << 4U;
inline constexpr std::uint32_t kLabels = 1U << 5U;
/// No tensor, but a promise: loss() is a mean over the images of the batch, or depends on none of
/// them. Only then may the host compute a batch in slices ([train] slices); a loss that compares
/// images with each other, as a contrastive one does, has another value in parts.
inline constexpr std::uint32_t kMeanOverImages = 1U << 6U;
inline constexpr std::uint32_t kAll = (1U << 7U) - 1U;
}  // namespace step_tensor

/// One task's part of a training step. A tensor that was not asked for is undefined. All but the
/// labels are fp32; rows of features are of unit length. Lives during the call. New members are
/// added at the end.
struct StepTensors {
  std::int64_t task = 0;           ///< an index into AdapterContext::tasks()
  at::Tensor image_features = {};  ///< [B, embed_dim] with the task's adapters, differentiable
  /// With the task's adapters, differentiable: [n_classes, embed_dim], or [B, n_classes, embed_dim]
  /// where the prompts follow the image (PromptCondition).
  at::Tensor text_features = {};
  at::Tensor frozen_image_features = {};  ///< [B, embed_dim] of the same views, without adapters
  /// [n_classes, embed_dim] of the texts of Method::text_template(), without adapters. Features of
  /// other texts are BackboneView::text_features(), which make_adapter() asks for once.
  at::Tensor frozen_text_features = {};
  at::Tensor logits = {};       ///< [B, n_classes] with the task's adapters, differentiable
  at::Tensor labels = {};       ///< int64 [B], indices into the task's classes
  at::Tensor logit_scale = {};  ///< scalar that the logits were made with; always there
  /// CPU generator for noise, seeded by the host; null where the host wants no noise.
  at::Generator* noise = nullptr;
};

/// An adapter with a say in its training. The host owns the step all the same: forward and
/// backward, weights of the tasks, precision, chunks, optimizer.
class TrainingAdapter : public Adapter {
 public:
  /// What loss() needs: bits of step_tensor, the same at every call. 0: there is no loss, and
  /// nothing is computed for one. Frozen image features cost a forward of the image tower, once a
  /// picture and view where the views are finite, else in every step.
  [[nodiscard]] virtual std::uint32_t step_tensors() const { return 0; }

  /// A scalar that is added to the training loss of a task of the step, weighted as the method
  /// wants it: L = CE(logits, labels) + sum of penalties + sum of loss() over the task's adapters.
  /// Called once for each task of the step that uses the adapter, in fp32; differentiable with
  /// respect to the parameters. Undefined: nothing is added.
  [[nodiscard]] virtual at::Tensor loss(const StepTensors& /*step*/) const { return {}; }

  /// Weights w_1 ... w_n, n = `epochs`, of a mean that takes the place of the trained values: at
  /// the end of training a parameter is sum_e w_e p_e, p_e its value at the end of epoch e. Not
  /// negative, sum 1. Empty: the last epoch's values, as always.
  [[nodiscard]] virtual std::vector<double> epoch_weights(std::int64_t /*epochs*/) const {
    return {};
  }
};

/// The adapter's say in its training; null where it has none.
inline const TrainingAdapter* training_part(const Adapter& adapter) {
  return dynamic_cast<const TrainingAdapter*>(&adapter);
}

/// A TrainingAdapter made of functions, as FunctionAdapter is. Inline code of the plugin.
class FunctionTrainingAdapter final : public TrainingAdapter {
 public:
  struct Functions {
    std::function<BackboneChanges(const ChangeRequest&)> changes;
    std::uint32_t step_tensors = 0;
    std::function<at::Tensor(const StepTensors&)> loss = {};  ///< where step_tensors is not 0
    std::function<std::vector<double>(std::int64_t)> epoch_weights = {};  ///< may be empty
  };

  FunctionTrainingAdapter(std::vector<NamedTensor> parameters, Functions functions)
      : parameters_(std::move(parameters)), functions_(std::move(functions)) {}

  [[nodiscard]] std::vector<NamedTensor> parameters() const override { return parameters_; }
  [[nodiscard]] BackboneChanges changes(const ChangeRequest& request) const override {
    return functions_.changes(request);
  }
  [[nodiscard]] std::uint32_t step_tensors() const override { return functions_.step_tensors; }
  [[nodiscard]] at::Tensor loss(const StepTensors& step) const override {
    return functions_.loss(step);
  }
  [[nodiscard]] std::vector<double> epoch_weights(std::int64_t epochs) const override {
    return functions_.epoch_weights ? functions_.epoch_weights(epochs) : std::vector<double>{};
  }

 private:
  std::vector<NamedTensor> parameters_;
  Functions functions_;
};

inline std::unique_ptr<Adapter> make_training_adapter(
    std::vector<NamedTensor> parameters, FunctionTrainingAdapter::Functions functions) {
  return std::make_unique<FunctionTrainingAdapter>(std::move(parameters), std::move(functions));
}

}  // namespace petlab::sdk
