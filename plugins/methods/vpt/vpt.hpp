#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>

namespace petlab::plugins::vpt {

enum class Placement {
  deep,     ///< own prompts at each of the first `depth` layers (VPT eq. 5 and 6)
  shallow,  ///< prompts at the input only; their outputs flow on (VPT eq. 4)
};

/// Visual prompt tuning (Jia et al., ECCV 2022) of the image tower, with the text similarities of
/// the backbone as the head: no classifier is trained.
class Vpt final : public sdk::Method {
 public:
  /// Throws Error(config) when option `template` has not exactly one "{}".
  Vpt(Placement placement, const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;

  /// One parameter `prompts` [depth, n_prompt, vision width]; with option `project` p > 0 its last
  /// size is p, and `projection` [vision width, p] and `projection-bias` make prompts of them.
  /// Throws Error(config) when `depth` is more than the image tower has.
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  Placement placement_;
  sdk::Options options_;
};

}  // namespace petlab::plugins::vpt
