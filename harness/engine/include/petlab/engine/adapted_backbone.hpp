#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/engine/adapter_checks.hpp"
#include "petlab/engine/class_texts.hpp"
#include "petlab/engine/failure_context.hpp"
#include "petlab/engine/sharing.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/sdk/training_adapter.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace petlab::engine {

/// Images of one task as the image tower takes them, or what it made of them.
struct TaskImages {
  std::int64_t task = 0;
  at::Tensor pixels;    ///< fp32 [B, 3, S, S], normalised, on the device; or undefined with ...
  at::Tensor features;  ///< [B, embed_dim] of the frozen, unprompted image tower, or with ...
  /// [B, 1 + patches, width], what AdaptedBackbone::untouched_vision_layers() blocks make of them.
  at::Tensor stream = {};
  /// [B, embed_dim] of the frozen tower, where needs_frozen_features() and they are kept;
  /// undefined: the pixels go through the frozen tower, too.
  at::Tensor frozen_features = {};
};

/// The frozen backbone with the adapters of a run: class scores of images of any tasks, each with
/// its own adapters, in one forward of each tower. A tower that no adapter touches runs without
/// gradient, and its class features are kept. Not for several threads at once.
class AdaptedBackbone {
 public:
  /// All arguments must outlive this object. Calls changes() of every adapter once, to learn what
  /// is touched; throws Error(plugin) when that breaks the contract. `task_dependent` as in
  /// sdk::MethodEntry.
  AdaptedBackbone(const clip::Backbone& backbone, const Adapters& adapters,
                  const std::vector<Task>& tasks, const std::string& text_template,
                  bool task_dependent, const AdapterChecks& checks, FailureContext& where);

  /// The adapters of some tasks at the present parameter values, with the class features that
  /// follow. Good until the parameters change.
  struct Prepared {
    std::vector<sdk::BackboneChanges> changes;     ///< one a source; empty where not prepared
    std::vector<clip::WeightOverrides> overrides;  ///< one a set; empty where not prepared
    std::vector<at::Tensor> class_features;        ///< [n_classes, embed_dim] a task, or undefined
    std::vector<at::Tensor> penalties;             ///< scalar a task, or undefined

    at::Generator* noise = nullptr;  ///< as given to prepare()
  };

  /// Prepares the tasks (ascending): each adapter's changes() once (once a task where they depend
  /// on it), class features once for each distinct (adapters, class list), all texts in one
  /// forward. Only adapters of these tasks enter the graph, so that the others get no gradient.
  /// `noise` is the generator of training, null in evaluation, `step` as in sdk::ChangeRequest.
  /// Leave autocast to the caller; changes() are always called outside of it.
  [[nodiscard]] Prepared prepare(const std::vector<std::int64_t>& tasks,
                                 at::Generator* noise = nullptr, std::int64_t step = 0);

  /// Logits of each input: fp32 [B, n_classes]. The inputs' tasks must be prepared.
  [[nodiscard]] std::vector<at::Tensor> logits(const Prepared& prepared,
                                               const std::vector<TaskImages>& inputs);

  /// Training loss of each input, scalars: mean cross-entropy of its logits with its labels (int64
  /// [B]), the penalties of the task's adapters, and their own losses (sdk::TrainingAdapter).
  /// Throws Error(plugin) for a loss that breaks the contract.
  [[nodiscard]] std::vector<at::Tensor> losses(const Prepared& prepared,
                                               const std::vector<TaskImages>& inputs,
                                               const std::vector<at::Tensor>& labels);

  /// True when a loss of an adapter compares image features with those of the frozen tower.
  [[nodiscard]] bool needs_frozen_features() const {
    return (step_tensors_ & sdk::step_tensor::kFrozenImageFeatures) != 0;
  }

  /// Why a batch of images cannot be computed in slices; "" where it can.
  [[nodiscard]] const std::string& unsliceable() const { return unsliceable_; }

  /// TrainingAdapter::epoch_weights() of each adapter, checked; empty: its last epoch counts.
  [[nodiscard]] std::vector<std::vector<double>> epoch_weights(std::int64_t epochs) const;

  /// True when adapters change the image tower; only then TaskImages must hold pixels.
  [[nodiscard]] bool modifies_vision() const { return footprint_.modifies_vision(); }
  [[nodiscard]] bool modifies_text() const { return footprint_.modifies_text(); }

  /// Blocks of the image tower below the first that adapters change: all where they leave the tower
  /// alone. Between the two, TaskImages may hold the stream behind these blocks instead of pixels.
  [[nodiscard]] std::int64_t untouched_vision_layers() const {
    return footprint_.untouched_vision_layers();
  }

  /// Tasks (indices into `tasks`) in groups of which no two share an adapter, each ascending.
  [[nodiscard]] std::vector<std::vector<std::size_t>> connected_tasks(
      const std::vector<std::int64_t>& tasks) const;

  [[nodiscard]] const sdk::BackboneShape& shape() const { return backbone_.shape(); }

  /// Images that went through the image tower so far.
  [[nodiscard]] std::int64_t images_encoded() const { return images_encoded_; }
  /// Counts images that went through the image tower of another process.
  void count_images(std::int64_t images) { images_encoded_ += images; }

 private:
  /// One call of changes(): an adapter, and for which of its tasks.
  struct Source {
    std::size_t adapter = 0;
    std::int64_t task = 0;
    std::int64_t n_classes = 0;  ///< of that task

    bool operator==(const Source& other) const {
      return adapter == other.adapter && task == other.task;
    }
  };

  /// An adapter with a loss, and which of its tasks a task is.
  struct LossPart {
    const sdk::TrainingAdapter* adapter = nullptr;
    std::int64_t task = 0;
    std::uint32_t needs = 0;
  };

  /// Class scores of a task's images, and what they were made from.
  struct Scores {
    at::Tensor logits;  ///< fp32 [B, n_classes]
    at::Tensor images;  ///< [B, embed_dim], behind feature adapters; not normalised
    at::Tensor texts;   ///< [n_classes, embed_dim] or one such an image; undefined with a head
    at::Tensor scale;   ///< scalar
  };

  void find_sets(const std::vector<Task>& tasks, bool task_dependent);
  /// Which adapters have losses, of what; called when the footprint is known.
  void find_losses(const std::vector<Task>& tasks);
  void call_changes(Prepared& prepared, std::size_t source, at::Generator* noise,
                    std::int64_t step);
  [[nodiscard]] std::vector<const sdk::TowerChanges*> changes_of(const Prepared& prepared,
                                                                 std::size_t set, bool text) const;
  [[nodiscard]] clip::TowerBatch tower_batch(const Prepared& prepared, bool text,
                                             const std::vector<std::size_t>& sets,
                                             const std::vector<std::int64_t>& set_sizes,
                                             const at::Tensor& set_of_sample) const;

  // Text side, in adapted_texts.cpp.
  void add_class_features(Prepared& prepared, const std::vector<std::int64_t>& tasks);
  [[nodiscard]] at::Tensor frozen_class_features(std::size_t list);
  [[nodiscard]] at::Tensor encode_texts(const Prepared& prepared, const ClassTexts::Plan& plan);
  [[nodiscard]] at::Tensor text_prompts(const Prepared& prepared, std::size_t set,
                                        std::int64_t n_classes) const;
  [[nodiscard]] at::Tensor class_features_by_image(const Prepared& prepared, std::size_t task,
                                                   const at::Tensor& image_features) const;

  // Image side, in adapted_images.cpp.
  [[nodiscard]] std::vector<at::Tensor> image_features(const Prepared& prepared,
                                                       const std::vector<TaskImages>& inputs);
  [[nodiscard]] at::Tensor encode_images(const Prepared& prepared,
                                         const std::vector<std::size_t>& sets,
                                         const std::vector<std::int64_t>& set_sizes,
                                         const std::vector<at::Tensor>& images, bool are_streams);
  [[nodiscard]] Scores task_scores(const Prepared& prepared, std::size_t task,
                                   const at::Tensor& features) const;

  // Losses, in adapted_losses.cpp.
  [[nodiscard]] std::vector<at::Tensor> frozen_image_features(
      const std::vector<TaskImages>& inputs, const std::vector<at::Tensor>& features);
  [[nodiscard]] at::Tensor checked_loss(const LossPart& part, const sdk::StepTensors& step) const;

  const clip::Backbone& backbone_;
  const Adapters& adapters_;
  const AdapterChecks& checks_;
  FailureContext& where_;
  Footprint footprint_;

  std::vector<Source> sources_;
  std::vector<std::vector<std::size_t>> sets_;     ///< sources in the order of composition
  std::vector<std::size_t> set_of_task_;           ///< tasks with the same sources share a set
  std::vector<std::vector<LossPart>> loss_parts_;  ///< of each task
  std::uint32_t step_tensors_ = 0;                 ///< all that losses need
  std::string unsliceable_;
  ClassTexts texts_;
  std::vector<at::Tensor> frozen_class_features_;  ///< one a list, of those that were asked for
  at::Tensor logit_scale_;
  std::int64_t images_encoded_ = 0;
};

}  // namespace petlab::engine
