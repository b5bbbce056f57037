#include "petlab/engine/train_images.hpp"

#include "petlab/engine/augmentation.hpp"
#include "petlab/engine/flop_counter.hpp"
#include "petlab/engine/precision.hpp"
#include "petlab/engine/seeds.hpp"
#include "petlab/sdk/device_copy.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

namespace petlab::engine {
namespace {

constexpr std::int64_t kCacheBatch = 128;

}  // namespace

at::Tensor to_pixels(const at::Tensor& images, const clip::Backbone& backbone) {
  return clip::normalise_pixels(sdk::to_device(images, backbone.device()),
                                backbone.preprocessing());
}

std::int64_t stream_bytes(const sdk::BackboneShape& shape, const std::vector<Task>& tasks,
                          Augmentation augmentation) {
  std::int64_t images = 0;
  for (const Task& task : tasks)
    images += task.train.size();
  const std::int64_t grid = shape.image_size / shape.patch_size;
  return images * view_count(augmentation) * (grid * grid + 1) * shape.vision.width *
         static_cast<std::int64_t>(sizeof(float));
}

std::int64_t kept_vision_layers(const sdk::BackboneShape& shape, const std::vector<Task>& tasks,
                                Augmentation augmentation, std::int64_t untouched,
                                std::int64_t epochs) {
  if (untouched == shape.vision.layers) return untouched;
  const std::int64_t views = view_count(augmentation);
  const bool pays = views > 0 && epochs > views;
  return pays && stream_bytes(shape, tasks, augmentation) <= kStreamBudget ? untouched : 0;
}

TrainImages::TrainImages(const clip::Backbone& backbone, const std::vector<Task>& tasks,
                         Augmentation augmentation, std::uint64_t seed, Precision precision,
                         ImageFeatures* features)
    : backbone_(backbone),
      tasks_(tasks),
      augmentation_(augmentation),
      seed_(seed),
      precision_(precision),
      store_(features),
      features_(tasks.size()),
      streams_(tasks.size()) {
  for (const Task& task : tasks) {
    labels_.push_back(at::tensor(task.train.labels, at::kLong).to(backbone.device()));
  }
}

std::vector<SampledTask> TrainImages::sampled_tasks() const {
  std::vector<SampledTask> result;
  for (const Task& task : tasks_)
    result.push_back({task.name, task.train.size()});
  return result;
}

std::uint64_t TrainImages::image_seed(std::int64_t task, std::int64_t epoch,
                                      std::int64_t position) const {
  const Task& owner = tasks_[static_cast<std::size_t>(task)];
  const std::int64_t row = owner.train.rows[static_cast<std::size_t>(position)];
  return derive_seed(seed_, {"view", owner.name},
                     {static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(row)});
}

at::Tensor TrainImages::pixels(const TaskBatch& batch, std::int64_t epoch) const {
  const LabelledImages& train = tasks_[static_cast<std::size_t>(batch.task)].train;
  std::vector<at::Tensor> views(batch.positions.size());
  const auto take = [&](std::size_t i) {
    const std::int64_t position = batch.positions[i];
    const std::int64_t row = train.rows[static_cast<std::size_t>(position)];
    const std::uint64_t seed = image_seed(batch.task, epoch, position);
    if (draws_crops(augmentation_) && train.original)
      views[i] = crop_and_flip(train.original(row), train.images.size(-1), seed);
    else
      views[i] = augment(train.images[row], augmentation_, seed);
  };
  // Originals are decoded each time: by all threads.
  at::parallel_for(0, static_cast<std::int64_t>(views.size()), 1,
                   [&](std::int64_t first, std::int64_t end) {
                     const at::NoGradGuard no_grad;
                     for (std::int64_t i = first; i < end; ++i)
                       take(static_cast<std::size_t>(i));
                   });
  return to_pixels(at::stack(views), backbone_);
}

const at::Tensor& TrainImages::kept_features(std::int64_t task) {
  at::Tensor& features = features_[static_cast<std::size_t>(task)];
  if (!features.defined()) features = encode_views(task, view_count(augmentation_));
  return features;
}

void TrainImages::keep_features() {
  if (view_count(augmentation_) == 0) return;
  for (std::size_t task = 0; task < tasks_.size(); ++task)
    (void)kept_features(static_cast<std::int64_t>(task));
}

template <class Encode>
at::Tensor TrainImages::of_views(std::int64_t task, std::int64_t n_views, Encode encode) const {
  const LabelledImages& train = tasks_[static_cast<std::size_t>(task)].train;
  const at::Tensor images = train.images.index_select(0, at::tensor(train.rows, at::kLong));
  std::vector<at::Tensor> parts;
  for (std::int64_t view = 0; view < n_views; ++view) {
    for (std::int64_t first = 0; first < train.size(); first += kCacheBatch) {
      const at::Tensor part = images.narrow(0, first, std::min(kCacheBatch, train.size() - first));
      parts.push_back(encode(to_pixels(view == 1 ? part.flip({3}) : part, backbone_)));
    }
  }
  return at::cat(parts);
}

at::Tensor TrainImages::encode_views(std::int64_t task, std::int64_t n_views) {
  const at::NoGradGuard no_grad;
  const FlopPause once_a_run;
  const AutocastScope autocast(backbone_.device(), precision_);
  const LabelledImages& train = tasks_[static_cast<std::size_t>(task)].train;
  if (store_ != nullptr) {
    std::vector<at::Tensor> parts;
    for (std::int64_t view = 0; view < n_views; ++view)
      parts.push_back(store_->of(static_cast<std::size_t>(task), view, train.rows));
    return at::cat(parts);
  }
  images_encoded_ += n_views * train.size();
  return of_views(task, n_views,
                  [&](const at::Tensor& pixels) { return backbone_.encode_image(pixels); });
}

std::int64_t TrainImages::kept_layers(std::int64_t untouched, std::int64_t epochs) const {
  return kept_vision_layers(backbone_.shape(), tasks_, augmentation_, untouched, epochs);
}

const at::Tensor& TrainImages::kept_streams(std::int64_t task, std::int64_t layers) {
  if (layers != stream_layers_) {
    streams_.assign(tasks_.size(), {});
    stream_layers_ = layers;
  }
  at::Tensor& streams = streams_[static_cast<std::size_t>(task)];
  if (!streams.defined()) {
    const at::NoGradGuard no_grad;
    const FlopPause once_a_run;
    const AutocastScope autocast(backbone_.device(), precision_);
    streams = of_views(task, view_count(augmentation_), [&](const at::Tensor& pixels) {
      return backbone_.encode_image_below(pixels, layers);
    });
  }
  return streams;
}

void TrainImages::cache_hidden_states(std::int64_t layers) {
  for (std::size_t task = 0; task < tasks_.size(); ++task)
    (void)kept_streams(static_cast<std::int64_t>(task), layers);
}

sdk::LabelledFeatures TrainImages::plain_features(std::size_t task) {
  const auto t = static_cast<std::int64_t>(task);
  // The first of the kept views is the plain one.
  const at::Tensor features = view_count(augmentation_) > 0
                                  ? kept_features(t).narrow(0, 0, tasks_[task].train.size())
                                  : encode_views(t, 1);
  return {clip::unit_length(features.to(at::kFloat)), labels_[task].clone()};
}

at::Tensor TrainImages::view_rows(const TaskBatch& batch, std::int64_t epoch) const {
  const std::int64_t n = tasks_[static_cast<std::size_t>(batch.task)].train.size();
  std::vector<std::int64_t> rows;
  for (const std::int64_t position : batch.positions) {
    const std::int64_t view = view_of(augmentation_, image_seed(batch.task, epoch, position));
    rows.push_back(view * n + position);
  }
  return sdk::to_device(at::tensor(rows, at::kLong), backbone_.device());
}

TaskImages TrainImages::images(const TaskBatch& batch, std::int64_t epoch,
                               std::int64_t frozen_layers, bool with_frozen_features) {
  if (view_count(augmentation_) == 0) return {batch.task, pixels(batch, epoch), {}};
  const auto kept = [&] {
    return kept_features(batch.task).index_select(0, view_rows(batch, epoch));
  };
  if (frozen_layers == backbone_.shape().vision.layers) return {batch.task, {}, kept()};
  TaskImages images{batch.task, {}, {}};
  if (frozen_layers == 0)
    images.pixels = pixels(batch, epoch);
  else
    images.stream =
        kept_streams(batch.task, frozen_layers).index_select(0, view_rows(batch, epoch));
  if (with_frozen_features) images.frozen_features = kept();
  return images;
}

at::Tensor TrainImages::labels(const TaskBatch& batch) const {
  const at::Tensor index =
      sdk::to_device(at::tensor(batch.positions, at::kLong), backbone_.device());
  return labels_[static_cast<std::size_t>(batch.task)].index_select(0, index);
}

}  // namespace petlab::engine
