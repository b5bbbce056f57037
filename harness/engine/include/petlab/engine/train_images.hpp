#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/image_features.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/sampler.hpp"
#include "petlab/engine/tasks.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::engine {

/// The training images of a run, augmented and on the device. Which view of an image an epoch shows
/// depends on (seed, task name, epoch, image) alone. For methods that leave the image tower alone
/// the features of an image are computed once for each view, at first use, and kept; for those that
/// leave its lower blocks alone, what these make of it, as far as memory allows.
class TrainImages {
 public:
  /// All arguments must outlive this object. Augmentations with too many views are never kept.
  /// `features`: of the tasks' pictures, task by task; null: computed here.
  TrainImages(const clip::Backbone& backbone, const std::vector<Task>& tasks,
              Augmentation augmentation, std::uint64_t seed, Precision precision,
              ImageFeatures* features = nullptr);

  /// Makes sure now of all features that training with a frozen tower can keep.
  void keep_features();

  /// Behind how many frozen blocks images() starts where the first `untouched` ones are frozen, in
  /// a training of so many epochs: kept_vision_layers().
  [[nodiscard]] std::int64_t kept_layers(std::int64_t untouched, std::int64_t epochs) const;

  /// Makes sure now of the streams behind so many blocks, for all images.
  void cache_hidden_states(std::int64_t layers);

  /// The images of a batch, behind so many blocks as kept_layers() says: pixels behind none, the
  /// streams behind some, behind all features where they can be kept, else pixels.
  /// `with_frozen_features`: also TaskImages::frozen_features, where they can be kept.
  [[nodiscard]] TaskImages images(const TaskBatch& batch, std::int64_t epoch,
                                  std::int64_t frozen_layers, bool with_frozen_features = false);

  /// Unit features of a task's training images without augmentation, from the frozen tower, with
  /// their labels; on the device.
  [[nodiscard]] sdk::LabelledFeatures plain_features(std::size_t task);

  /// Labels of a batch: int64 [B] on the device.
  [[nodiscard]] at::Tensor labels(const TaskBatch& batch) const;

  [[nodiscard]] std::vector<SampledTask> sampled_tasks() const;

  /// Images that went through the image tower to fill the cache, or those of ImageFeatures.
  [[nodiscard]] std::int64_t images_encoded() const {
    return images_encoded_ + (store_ != nullptr ? store_->computed() : 0);
  }

 private:
  [[nodiscard]] at::Tensor pixels(const TaskBatch& batch, std::int64_t epoch) const;
  [[nodiscard]] std::uint64_t image_seed(std::int64_t task, std::int64_t epoch,
                                         std::int64_t position) const;
  [[nodiscard]] const at::Tensor& kept_features(std::int64_t task);
  [[nodiscard]] at::Tensor encode_views(std::int64_t task, std::int64_t n_views);
  [[nodiscard]] const at::Tensor& kept_streams(std::int64_t task, std::int64_t layers);
  [[nodiscard]] at::Tensor view_rows(const TaskBatch& batch, std::int64_t epoch) const;
  /// encode(pixels) of all views of a task's images, view by view.
  template <class Encode>
  [[nodiscard]] at::Tensor of_views(std::int64_t task, std::int64_t n_views, Encode encode) const;

  const clip::Backbone& backbone_;
  const std::vector<Task>& tasks_;
  Augmentation augmentation_;
  std::uint64_t seed_;
  Precision precision_;
  ImageFeatures* store_;
  std::vector<at::Tensor> labels_;    ///< one a task, on the device
  std::vector<at::Tensor> features_;  ///< [views * n, embed_dim] a task, view-major; or undefined
  std::vector<at::Tensor> streams_;   ///< [views * n, 1 + patches, width] a task, on the device
  std::int64_t stream_layers_ = 0;    ///< the blocks behind which they are
  std::int64_t images_encoded_ = 0;
};

/// Bytes of streams behind lower blocks that a run keeps at most. Not what the machine has: whether
/// they are kept decides the last bits of a run.
inline constexpr std::int64_t kStreamBudget = std::int64_t{2} << 30;

/// Bytes of the streams of all training images in all views, behind any block.
[[nodiscard]] std::int64_t stream_bytes(const sdk::BackboneShape& shape,
                                        const std::vector<Task>& tasks, Augmentation augmentation);

/// Behind how many frozen blocks of the image tower a training starts where its adapters leave the
/// first `untouched` ones alone: all, where they leave the tower alone; `untouched` where the
/// streams are of finitely many views, each seen more than once in `epochs`, and within the budget;
/// or none.
[[nodiscard]] std::int64_t kept_vision_layers(const sdk::BackboneShape& shape,
                                              const std::vector<Task>& tasks,
                                              Augmentation augmentation, std::int64_t untouched,
                                              std::int64_t epochs);

/// Rows of uint8 images -> fp32 pixels on the backbone's device, normalised as it wants them.
[[nodiscard]] at::Tensor to_pixels(const at::Tensor& images, const clip::Backbone& backbone);

}  // namespace petlab::engine
