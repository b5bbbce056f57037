#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>

namespace petlab::plugins::single_modal_prompts {

/// Deep prompts in the text tower alone ("deep language prompting" of MaPLe's comparison): own
/// vectors at each of the first `depth` layers, directly after the start token.
class TextPrompt final : public sdk::Method {
 public:
  /// Throws Error(config) when option `template` is given and has not exactly one "{}".
  explicit TextPrompt(const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;

  /// One parameter `prompts` [depth, n_prompt, text width].
  /// Throws Error(config) when `depth` is more than the text tower has.
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  sdk::Options options_;
};

/// Deep prompts in the image tower alone, of MmAP's length and depth but free of its source prompt:
/// what MmAP's visual half is compared with.
class VisionPrompt final : public sdk::Method {
 public:
  /// Throws Error(config) when option `template` has not exactly one "{}".
  explicit VisionPrompt(const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;

  /// One parameter `prompts` [depth, n_prompt, vision width].
  /// Throws Error(config) when `depth` is more than the image tower has.
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  sdk::Options options_;
};

}  // namespace petlab::plugins::single_modal_prompts
