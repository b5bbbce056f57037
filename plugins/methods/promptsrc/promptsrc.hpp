#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>
#include <vector>

namespace petlab::plugins::promptsrc {

/// Self-regulating prompts (Khattak et al., "Self-regulating Prompts: Foundational Model Adaptation
/// without Forgetting", ICCV 2023): independent deep prompts in both towers with three regulators.
/// Unit features f (image) and g (texts) with prompts stay near the frozen ones f*, g*, the latter
/// a mean over many texts, and the class scores q near the frozen ones q*:
/// L = CE + lambda_2 |f - f*|_1 + lambda_1 |g - g*|_1 + KL(q* || q) (eq. 3 to 5), each norm and the
/// divergence a mean over all entries, as in the repository. What is tested is a Gaussian-weighted
/// mean of the prompts over the epochs (eq. 6).
class PromptSrc final : public sdk::Method {
 public:
  /// Throws Error(config) for a template without exactly one "{}".
  explicit PromptSrc(const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;

  /// Parameters `text-prompts` [text depth, n_text, text width] and `vision-prompts`. Of two
  /// composed adapters the first alone has the losses: what they hold back is made by both.
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  sdk::Options options_;
  std::vector<std::string> templates_;
};

}  // namespace petlab::plugins::promptsrc
