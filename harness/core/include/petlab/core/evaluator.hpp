#pragma once

#include "petlab/core/adapted_backbone.hpp"
#include "petlab/core/progress.hpp"
#include "petlab/core/tasks.hpp"
#include "petlab/results/record.hpp"

#include <optional>
#include <string>
#include <vector>

namespace petlab::core {

/// Classifies all test images of all tasks: the one place that sees test images and labels, called
/// once a run, after the last epoch. Class features are computed once for each set of adapters.
/// `image_flops`: receives the FLOPs of an image, class features left out, as the first batch takes
/// them on average.
[[nodiscard]] std::vector<results::TaskResult> evaluate(
    AdaptedBackbone& backbone, const clip::Backbone& images_of, const std::vector<Task>& tasks,
    const std::vector<LabelledImages>& test, const std::string& precision, Progress& progress,
    std::optional<double>* image_flops = nullptr);

}  // namespace petlab::core
