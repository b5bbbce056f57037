#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>

namespace petlab::plugins::full_finetune {

/// Which weights are trained.
struct Selection {
  bool vision = true;       ///< `vision_model.*` and `visual_projection.*`
  bool text = true;         ///< `text_model.*` and `text_projection.*`
  bool logit_scale = true;  ///< `logit_scale`

  /// Whether the weight of this name (Hugging Face CLIP layout) is trained.
  /// Throws Error(plugin) for a name that belongs to none of the three parts.
  [[nodiscard]] bool takes(const std::string& name) const;
};

/// Every weight of the chosen towers is trained, on a copy: the frozen original stays untouched.
class FullFinetune final : public sdk::Method {
 public:
  /// Throws Error(config) when option `template` has not exactly one "{}".
  explicit FullFinetune(const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  Selection selection_;
  std::string template_;
};

}  // namespace petlab::plugins::full_finetune
