#pragma once

#include "petlab/sdk/changes.hpp"

#include <ATen/core/Generator.h>

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::sdk {

/// One task as a method may see it.
struct TaskView {
  std::string name;
  std::vector<std::string> classes;  ///< as they stand in the texts; a label is an index into them
};

/// Image features of the frozen image tower with their labels.
struct LabelledFeatures {
  at::Tensor features;  ///< [n_images, embed_dim], rows of unit length
  at::Tensor labels;    ///< int64 [n_images]
};

/// What an adapter is made for, and what the host lends to make it. Lives during the call only,
/// except for the backbone, which outlives the adapter.
class AdapterContext {
 public:
  virtual ~AdapterContext() = default;

  [[nodiscard]] virtual const BackboneView& backbone() const = 0;

  /// A CPU generator seeded by the host for this adapter alone: the source of all randomness.
  [[nodiscard]] virtual at::Generator& generator() const = 0;

  /// The adapter's place among those that are composed for its tasks: 0 for the only one and for
  /// the shared or the group's, 1 for a task's own behind it.
  [[nodiscard]] virtual std::int64_t place() const = 0;

  /// The tasks that use the adapter: one with sharing per-task, all with joint.
  [[nodiscard]] virtual const std::vector<TaskView>& tasks() const = 0;

  /// Features of a task's training images without augmentation. `task` is an index into tasks().
  [[nodiscard]] virtual LabelledFeatures training_features(std::int64_t task) const = 0;
};

/// For what changes() is called.
struct ChangeRequest {
  /// The task that the changes are for, an index into AdapterContext::tasks(). Always 0 where
  /// MethodEntry::task_dependent is false.
  std::int64_t task = 0;
  bool training = false;  ///< false in evaluation: no noise then
  /// CPU generator for noise in training (sampling, dropout), seeded by the host; null in
  /// evaluation.
  at::Generator* noise = nullptr;
  /// Optimizer steps of the training that came before; 0 in evaluation, and while a grouping
  /// measures affinities.
  std::int64_t step = 0;
};

/// One instance of a method's trainable parameters. Lives in the plugin; the host owns the
/// optimizer, the schedule, the data and the clock.
class Adapter {
 public:
  virtual ~Adapter() = default;

  /// Trainable leaf tensors, fp32, requires_grad set, on the device of the backbone's weights.
  /// The same tensors at every call. Empty for a method that trains nothing.
  [[nodiscard]] virtual std::vector<NamedTensor> parameters() const = 0;

  /// The changes that the present parameter values stand for, differentiable with respect to them.
  /// Called once a training step (once for each task of the step where MethodEntry::task_dependent
  /// is true); must be a pure function of the parameters, the request and the noise.
  [[nodiscard]] virtual BackboneChanges changes(const ChangeRequest& request) const = 0;
};

}  // namespace petlab::sdk
