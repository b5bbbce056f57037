#pragma once

#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/image_features.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/rank_group.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/results/record.hpp"

#include <optional>
#include <vector>

namespace petlab::engine {

/// Classifies all test images of all tasks: the one place that sees test images and labels, called
/// once a run, after the last epoch. Class features are computed once for each set of adapters.
/// `image_flops`: receives the FLOPs of an image, class features left out, as the first batch takes
/// them on average. `features`: of the tasks' pictures by the untouched tower, task by task, taken
/// where no adapter changes the tower; the FLOPs of an image are counted on one picture then. Null:
/// the tower computes them. `ranks` share out the batches, each of which has the same bits
/// wherever it is computed; all have all results.
[[nodiscard]] std::vector<results::TaskResult> evaluate(
    AdaptedBackbone& backbone, const clip::Backbone& images_of, const std::vector<Task>& tasks,
    const std::vector<LabelledImages>& test, Precision precision, Progress& progress,
    std::optional<double>* image_flops = nullptr, ImageFeatures* features = nullptr,
    RankGroup* ranks = nullptr);

}  // namespace petlab::engine
