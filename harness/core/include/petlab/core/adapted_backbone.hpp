#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/core/adapter_checks.hpp"
#include "petlab/core/sharing.hpp"
#include "petlab/core/tasks.hpp"
#include "petlab/core/whereabouts.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace petlab::core {

/// Images of one task as the image tower takes them, or what it made of them.
struct TaskImages {
  std::int64_t task = 0;
  at::Tensor pixels;    ///< fp32 [B, 3, S, S], normalised, on the device; undefined with features
  at::Tensor features;  ///< [B, embed_dim] of the frozen, unprompted image tower
};

/// The frozen backbone with the adapters of a run: class scores of images of any tasks, each with
/// its own adapters, in one forward of each tower. A tower that no adapter touches runs without
/// gradient, and its class features are kept. Not for several threads at once.
class AdaptedBackbone {
 public:
  /// All arguments must outlive this object. Calls changes() of every adapter once, to learn what
  /// is touched; throws Error(plugin) when that breaks the contract.
  AdaptedBackbone(const clip::Backbone& backbone, const Adapters& adapters,
                  const std::vector<Task>& tasks, const std::string& text_template,
                  const AdapterChecks& checks, Whereabouts& where);

  /// The adapters of some tasks at the present parameter values, with the class features that
  /// follow. Good until the parameters change.
  struct Prepared {
    std::vector<sdk::BackboneChanges> changes;     ///< one an adapter; empty where not prepared
    std::vector<clip::WeightOverrides> overrides;  ///< one a set; empty where not prepared
    std::vector<at::Tensor> class_features;        ///< [n_classes, embed_dim] a task, or undefined
  };

  /// Prepares the tasks (ascending): each adapter's changes() once, class features once for each
  /// distinct (adapters, class list), all texts in one forward. Only adapters of these tasks enter
  /// the graph, so that the others get no gradient. Leave autocast to the caller.
  [[nodiscard]] Prepared prepare(const std::vector<std::int64_t>& tasks);

  /// Logits of each input: fp32 [B, n_classes]. The inputs' tasks must be prepared.
  [[nodiscard]] std::vector<at::Tensor> logits(const Prepared& prepared,
                                               const std::vector<TaskImages>& inputs);

  /// True when adapters change the image tower; only then TaskImages must hold pixels.
  [[nodiscard]] bool touches_vision() const { return footprint_.touches_vision(); }
  [[nodiscard]] bool touches_text() const { return footprint_.touches_text(); }

  /// Images that went through the image tower so far.
  [[nodiscard]] std::int64_t images_encoded() const { return images_encoded_; }

 private:
  /// Adapters in the order of composition. Tasks with the same adapters share a set.
  struct AdapterSet {
    std::vector<std::size_t> adapters;
  };

  /// The texts of some tasks, packed into one batch.
  struct TextPlan {
    struct Part {
      std::size_t set = 0;
      std::size_t list = 0;
      std::int64_t offset = 0;  ///< first row of its texts in the batch
    };
    std::vector<std::size_t> sets;  ///< sets in the batch, in the order of set_of_text
    std::vector<Part> parts;
    std::vector<std::size_t> part_of_task;  ///< of the prepared tasks, in their order
    clip::TokenBatch tokens;
    at::Tensor set_of_text;  ///< undefined for one set
  };

  void find_sets_and_lists(const std::vector<Task>& tasks, const std::string& text_template);
  [[nodiscard]] const TextPlan& text_plan(const std::vector<std::int64_t>& tasks);
  [[nodiscard]] clip::TokenBatch tokens_of(const std::vector<std::size_t>& lists) const;
  [[nodiscard]] clip::PromptBatch prompts(const Prepared& prepared, bool text,
                                          const std::vector<std::size_t>& sets,
                                          const at::Tensor& set_of_sample) const;
  [[nodiscard]] at::Tensor frozen_class_features(std::size_t list);
  [[nodiscard]] at::Tensor encode_texts(const Prepared& prepared, const TextPlan& plan);
  [[nodiscard]] std::vector<at::Tensor> image_features(const Prepared& prepared,
                                                       const std::vector<TaskImages>& inputs);
  [[nodiscard]] at::Tensor encode_pixels(const Prepared& prepared,
                                         const std::vector<std::size_t>& sets,
                                         const std::vector<std::size_t>& set_of_input,
                                         const std::vector<const TaskImages*>& inputs);

  const clip::Backbone& backbone_;
  const Adapters& adapters_;
  const AdapterChecks& checks_;
  Whereabouts& where_;
  Footprint footprint_;

  std::vector<AdapterSet> sets_;
  std::vector<std::size_t> set_of_task_;
  std::vector<std::size_t> list_of_task_;                         ///< class list of a task
  std::vector<std::pair<std::int64_t, std::int64_t>> list_rows_;  ///< first row and count in texts_
  clip::TokenBatch texts_;  ///< all class lists, one below the other
  std::vector<at::Tensor>
      frozen_class_features_;  ///< one a list, where the text tower is untouched
  std::map<std::vector<std::int64_t>, TextPlan> text_plans_;
  at::Tensor logit_scale_;
  std::int64_t images_encoded_ = 0;
};

}  // namespace petlab::core
