#include "petlab/study/memory_estimate.hpp"

#include "petlab/clip/text_memory.hpp"
#include "petlab/engine/adapter_checks.hpp"
#include "petlab/engine/augmentation.hpp"
#include "petlab/engine/class_texts.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/sharing.hpp"
#include "petlab/engine/train_images.hpp"
#include "petlab/engine/training_step.hpp"
#include "untrained_adapters.hpp"

#include <ATen/ATen.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace petlab::study {
namespace {

constexpr std::int64_t kFloat = 4;  // bytes

// Of a process that has loaded LibTorch and one plugin, and of its threads' buffers.
constexpr std::int64_t kProgram = std::int64_t{150} << 20;

// Numbers a token and layer, in widths of the tower (the MLP is four wide). Kept for the gradient
// with frozen weights: both norms' inputs, queries, keys and values, the heads' output and what the
// activation was given, some of it twice. Trained weights want the inputs of the four linear layers
// too.
constexpr std::int64_t kKeptFrozen = 13;
constexpr std::int64_t kKeptTrained = 18;
// More where modules sit in the layer: LoRA keeps what dropout makes of its input for q, k and v.
constexpr std::int64_t kKeptModules = 8;
// Of one layer while it is at work, forward or backward.
constexpr std::int64_t kAtWork = 14;

constexpr std::int64_t kTestBatch = 32;           // as evaluator.cpp
constexpr std::int64_t kConditionedTexts = 1024;  // as adapted_texts.cpp

/// One tower's part of a forward.
struct TowerWork {
  std::int64_t tokens = 0;  ///< of all sequences
  std::int64_t width = 0;
  std::int64_t layers = 0;  ///< that keep something
  bool has_modules = false;

  [[nodiscard]] std::int64_t kept(bool trains_weights) const {
    const std::int64_t widths =
        (trains_weights ? kKeptTrained : kKeptFrozen) + (has_modules ? kKeptModules : 0);
    return tokens * width * widths * layers * kFloat;
  }
  [[nodiscard]] std::int64_t at_work() const { return tokens * width * kAtWork * kFloat; }
};

std::int64_t count_values(const std::vector<at::Tensor>& tensors) {
  std::int64_t count = 0;
  for (const at::Tensor& tensor : tensors)
    count += tensor.numel();
  return count;
}

/// Layers from the first that a tower's adapters touch.
std::int64_t kept_layers(const engine::TowerFootprint& footprint, std::int64_t layers,
                         bool trains_weights) {
  return trains_weights ? layers : layers - footprint.untouched_layers;
}

}  // namespace

std::int64_t MemoryEstimate::total() const {
  return program + weights + trained + std::max(step, evaluation);
}

MemoryEstimate estimate_memory(const engine::RunSpec& spec, const sdk::MethodEntry& entry,
                               const clip::Backbone& backbone,
                               const std::vector<engine::Task>& tasks) {
  const sdk::BackboneShape& shape = backbone.shape();
  const UntrainedAdapters made = untrained_adapters(spec, entry, backbone, tasks);
  const engine::Adapters& adapters = made.adapters;
  const engine::AdapterChecks checks(spec.method, backbone);
  const engine::Footprint footprint =
      checks.check_changes(adapters.adapters.front()->changes({.task = 0}),
                           static_cast<std::int64_t>(tasks.front().classes.size()));
  const bool trains_weights = !footprint.weights.empty();
  const auto composed = static_cast<std::int64_t>(adapters.arrangement.of_task.front().size());
  const auto n_tasks = static_cast<std::int64_t>(tasks.size());

  MemoryEstimate estimate{.program = kProgram, .weights = backbone.parameter_count() * kFloat};
  const std::int64_t values = count_values(adapters.trainable());
  const std::int64_t buffers = spec.training.optimizer != engine::OptimizerKind::sgd ? 2
                               : spec.training.momentum != 0.0                       ? 1
                                                                                     : 0;
  estimate.trained = values * (2 + buffers) * kFloat;

  // Pictures of a step.
  const std::int64_t grid = shape.image_size / shape.patch_size;
  const std::int64_t tokens = grid * grid + 1 + footprint.vision.prompt_tokens(composed);
  // Tasks that share no adapter may go one after the other (step_pieces()); groups may be all one.
  std::int64_t together = n_tasks;
  const std::int64_t batch =
      (spec.training.batch + spec.training.slices - 1) / spec.training.slices;  // of a slice
  if (spec.training.slices > 1) estimate.trained += values * kFloat;            // their sum
  if (spec.sharing == engine::Sharing::per_task && footprint.modifies_vision())
    together = std::clamp<std::int64_t>(
        engine::kPieceValues / (batch * (grid * grid + 1) * shape.vision.width), 1, n_tasks);
  // A batch of a union is one of all tasks that share an adapter; groups may be one each.
  const bool one_union =
      spec.training.sampler == engine::Sampler::union_of_tasks &&
      (spec.sharing == engine::Sharing::joint || spec.sharing == engine::Sharing::joint_specific);
  const std::int64_t pictures = batch * (one_union ? 1 : together);
  const auto vision = [&](std::int64_t n) {
    return TowerWork{n * tokens, shape.vision.width,
                     kept_layers(footprint.vision, shape.vision.layers, trains_weights),
                     !footprint.vision.modules.empty()};
  };
  const bool trains = values > 0;
  const bool keeps_features =
      !footprint.modifies_vision() && engine::view_count(spec.training.augmentation) > 0;
  if (trains && footprint.modifies_vision()) estimate.step += vision(pictures).kept(trains_weights);
  if (trains && !keeps_features) estimate.step += vision(pictures).at_work();
  const std::int64_t kept_below =
      engine::kept_vision_layers(shape, tasks, spec.training.augmentation,
                                 footprint.untouched_vision_layers(), spec.training.epochs);
  if (trains && footprint.modifies_vision() && kept_below > 0)
    estimate.trained += engine::stream_bytes(shape, tasks, spec.training.augmentation);
  estimate.evaluation += vision(kTestBatch).at_work();

  // Texts: each list of classes once for each set of adapters.
  if (!footprint.has_head) {
    const engine::ClassTexts texts(backbone, tasks, made.method->text_template());
    std::set<std::pair<std::vector<std::size_t>, std::size_t>> distinct;
    std::int64_t of_step = 0;
    std::int64_t tested_by_image = 0;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const std::size_t list = texts.list_of_task(t);
      const auto classes = static_cast<std::int64_t>(tasks[t].classes.size());
      const bool shares_rows = footprint.text.class_position == sdk::ClassPosition::end;
      const std::int64_t rows = clip::text_rows(
          backbone.config(), texts.tokens_of({list}), footprint.text.prompt_tokens(composed),
          footprint.text.by_class ? classes : 1,
          shares_rows ? clip::TextPath::shared : clip::TextPath::plain);
      tested_by_image =
          std::max(tested_by_image, std::max<std::int64_t>(1, kConditionedTexts / classes) * rows);
      if (footprint.text.conditioned)
        of_step += batch * rows;
      else if (distinct.emplace(adapters.arrangement.of_task[t], list).second)
        of_step += rows;
    }
    const auto text = [&](std::int64_t n) {
      return TowerWork{n, shape.text.width,
                       kept_layers(footprint.text, shape.text.layers, trains_weights),
                       !footprint.text.modules.empty()};
    };
    const TowerWork in_piece = text(of_step * together / n_tasks);
    if (trains && footprint.modifies_text())
      estimate.step +=
          std::min(in_piece.kept(trains_weights), clip::kTextBudget) + in_piece.at_work();
    const std::int64_t tested = footprint.text.conditioned ? tested_by_image : of_step;
    estimate.evaluation = std::max(estimate.evaluation, text(tested).at_work());
  }
  if (spec.training.precision == engine::Precision::bf16) {
    // Half of what is kept is half as large; weights are there once more in bf16.
    estimate.step = estimate.step * 3 / 4;
    estimate.weights += estimate.weights / 2;
  }
  // Fused queries, keys and values of trained weights are joined anew for each forward.
  if (trains_weights) estimate.step += estimate.weights / 4 * together;
  return estimate;
}

std::int64_t machine_memory() {
  std::int64_t bytes = static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE));
  // A container may have less.
  std::int64_t limit = 0;
  if (std::ifstream("/sys/fs/cgroup/memory.max") >> limit && limit > 0)
    bytes = std::min(bytes, limit);
  return std::max<std::int64_t>(bytes, 0);
}

}  // namespace petlab::study
