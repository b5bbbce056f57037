#pragma once

#include "petlab/sdk/adapter.hpp"
#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace petlab::engine {

/// Which layers a tower's prompts enter, and how many tokens they are.
struct PromptShape {
  std::vector<std::int64_t> layers;
  std::int64_t tokens = 0;

  bool operator==(const PromptShape&) const = default;
};

/// What parts of a tower an adapter changes.
struct TowerFootprint {
  PromptShape prompts;
  sdk::PromptComposition prompt_composition = sdk::PromptComposition::concatenate;
  bool by_class = false;  ///< the prompts of layer 0 differ from class to class
  sdk::ClassPosition class_position = sdk::ClassPosition::end;
  bool conditioned = false;           ///< the prompts follow the image
  std::string modules;                ///< what modules where, of which sizes
  std::int64_t untouched_layers = 0;  ///< blocks, and all before them, below what is changed
  std::size_t feature_adapters = 0;

  /// Tokens that the prompts of `adapters` composed ones are in a sequence.
  [[nodiscard]] std::int64_t prompt_tokens(std::int64_t adapters) const {
    const bool adds = prompt_composition == sdk::PromptComposition::add;
    return (adds ? 1 : adapters) * prompts.tokens;
  }
  [[nodiscard]] bool touches_tower() const { return !prompts.layers.empty() || !modules.empty(); }
  [[nodiscard]] bool empty() const { return !touches_tower() && feature_adapters == 0; }

  bool operator==(const TowerFootprint&) const = default;
};

/// What parts of the backbone an adapter changes: all but the values.
struct Footprint {
  TowerFootprint vision;
  TowerFootprint text;
  std::vector<std::string> weights;
  bool has_head = false;
  std::size_t caches = 0;

  /// Whether the tower's output for an input is no longer the frozen one (feature adapters, which
  /// work behind it, do not count).
  [[nodiscard]] bool modifies_vision() const;
  [[nodiscard]] bool modifies_text() const;
  /// Blocks of the image tower whose outputs are the frozen ones: all where the tower is not
  /// touched.
  [[nodiscard]] std::int64_t untouched_vision_layers() const;
  [[nodiscard]] bool cannot_compose() const { return has_head || !weights.empty(); }

  bool operator==(const Footprint&) const = default;
};

/// What comes out of a plugin is checked here, before it reaches the backbone. All functions throw
/// Error(plugin) with one sentence that names the method and what it gave instead of what.
class AdapterChecks {
 public:
  /// `backbone` must outlive this object.
  AdapterChecks(std::string method, const sdk::BackboneView& backbone);

  /// A template has exactly one "{}".
  void check_template(const std::string& text) const;

  /// Trainable fp32 leaves with distinct names on the backbone's device, finite, and in memory of
  /// their own.
  void check_parameters(const std::vector<sdk::NamedTensor>& parameters) const;

  /// Shapes, layers, types and device of the changes for a task of `n_classes` classes. Values are
  /// not looked at: on a GPU that would stop the step.
  [[nodiscard]] Footprint check_changes(const sdk::BackboneChanges& changes,
                                        std::int64_t n_classes) const;

  /// Throws if any value of the changes is not finite.
  void check_finite(const sdk::BackboneChanges& changes) const;

 private:
  /// What the axes of a tensor stand for.
  struct Sizes {
    std::int64_t width = 0;
    std::int64_t mlp_width = 0;
    std::int64_t embed_dim = 0;
    std::int64_t classes = 0;

    [[nodiscard]] std::int64_t of(sdk::Axis axis) const;
  };

  void check_prompts(const sdk::TowerChanges& changes, const sdk::TowerShape& tower,
                     const char* name, std::int64_t n_classes, TowerFootprint& footprint) const;
  /// All of the tower's changes but prompts; returns TowerFootprint::modules.
  [[nodiscard]] std::string check_parts(const sdk::TowerChanges& changes,
                                        const sdk::TowerShape& tower, const char* name) const;
  void check_heads(const sdk::BackboneChanges& changes, std::int64_t n_classes) const;
  void check_layer(std::int64_t layer, const sdk::TowerShape& tower, const std::string& who) const;

  /// Refuses the part unless all of its tensors are what their specs say; `where` ends the name of
  /// a tensor in the sentence. Returns the part's own size (Axis::free), -1 without one.
  template <typename Part>
  std::int64_t check_tensors(const Part& part, const Sizes& sizes, const std::string& where) const;

  /// True for an fp32 tensor of this shape on the backbone's device; a negative size stands for
  /// any. For an undefined one, `optional`.
  [[nodiscard]] bool is_as_expected(const at::Tensor& tensor, at::IntArrayRef shape,
                                    bool optional) const;
  [[noreturn]] void refuse_tensor(const std::string& who, const at::Tensor& tensor,
                                  at::IntArrayRef shape) const;
  [[nodiscard]] c10::Device device() const;
  [[noreturn]] void refuse(const std::string& what) const;

  std::string method_;
  const sdk::BackboneView& backbone_;
  std::unordered_map<std::string, at::Tensor> weights_;
};

}  // namespace petlab::engine
