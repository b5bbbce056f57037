#pragma once

#include "petlab/sdk/method_support.hpp"
#include "petlab/sdk/plugin.hpp"

#include <ATen/ops/full.h>

#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// A small sound method (two image prompts at the first layer), which each case breaks in one place.
namespace petlab::tests {

class FixtureAdapter : public sdk::Adapter {
 public:
  explicit FixtureAdapter(const sdk::BackboneView& backbone)
      : prompts_(sdk::make_trainable(
            at::full({2, backbone.shape().vision.width}, 0.01, at::TensorOptions(at::kFloat)),
            sdk::device_of(backbone))) {}

  [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override {
    return {{"prompts", prompts_}};
  }

  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    return with(prompts_);
  }

 protected:
  [[nodiscard]] static sdk::BackboneChanges with(const at::Tensor& prompts) {
    sdk::BackboneChanges changes;
    changes.vision.prompts = {{.layer = 0, .tokens = prompts}};
    return changes;
  }

  at::Tensor prompts_;  // [2, vision width]
};

/// Makes adapters of type A, which is built from the backbone.
template <class A>
class FixtureMethod : public sdk::Method {
 public:
  [[nodiscard]] std::string text_template() const override { return "a photo of a {}."; }

  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override {
    const sdk::BackboneView& backbone = context.backbone();
    return std::make_unique<A>(backbone);
  }
};

template <class M>
std::unique_ptr<sdk::Method> make_method(const sdk::Options& /*options*/) {
  return std::make_unique<M>();
}

/// The one entry of a fixture: method `name`, without options.
constexpr sdk::MethodEntry fixture_entry(const char* name, sdk::MethodFactory make) {
  return {.name = name,
          .summary = "a plugin of the tests",
          .options = nullptr,
          .option_count = 0,
          .training = {.optimizer = "sgd", .learning_rate = 0.01, .source = "a test"},
          .composable = true,
          .make = make};
}

}  // namespace petlab::tests

/// The sound part of a descriptor with the one method `entry`.
#define PETLAB_FIXTURE_PARTS(entry)                                                 \
  .name = PETLAB_PLUGIN_NAME, .version = PETLAB_PLUGIN_VERSION, .licence = "MIT",   \
  .source_hash = PETLAB_PLUGIN_SOURCE_HASH, .methods = &(entry), .method_count = 1, \
  .groupings = nullptr, .grouping_count = 0
