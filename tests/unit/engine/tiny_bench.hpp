#pragma once

#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/augmentation.hpp"
#include "petlab/engine/train_images.hpp"
#include "tiny_world.hpp"

#include <cstdint>
#include <memory>

namespace petlab::engine::testing {

/// Everything that a step needs, for one method and sharing.
struct Bench {
  Bench(const sdk::MethodEntry& entry, Sharing sharing, const sdk::Partition& partition = {})
      : inputs(testing::tiny_inputs(entry)),
        method(entry.make({})),
        checks(entry.name, *inputs.backbone),
        images(*inputs.backbone, inputs.tasks, Augmentation::none, 1, Precision::fp32),
        adapters(make_adapters(*method, entry.name,
                               {*inputs.backbone, inputs.tasks,
                                [this](std::size_t task) { return images.plain_features(task); }},
                               arrange(sharing, {"line", "flat", "emoji"}, partition), 1, where)),
        backbone(*inputs.backbone, adapters, inputs.tasks, method->text_template(),
                 entry.task_dependent, checks, where) {}

  [[nodiscard]] TaskImages batch(std::int64_t task) {
    return images.images({task, {0, 1, 2}}, 0, /*frozen_layers=*/0);
  }

  RunInputs inputs;
  std::unique_ptr<sdk::Method> method;
  AdapterChecks checks;
  FailureContext where;
  TrainImages images;
  Adapters adapters;
  AdaptedBackbone backbone;
};

}  // namespace petlab::engine::testing
