#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>

namespace petlab::plugins::maple {

/// Multi-modal prompt learning (Khattak et al., CVPR 2023): deep prompts of the text tower, and
/// through a linear map of each layer those of the image tower, V_l = F_l(T_l).
class Maple final : public sdk::Method {
 public:
  /// Throws Error(config) when option `template` is given and has not exactly one "{}".
  explicit Maple(const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;

  /// Parameters `text-prompts` T [depth, n_ctx, d_l], `coupling` [depth, d_v, d_l] and
  /// `coupling-bias` [depth, d_v].
  /// Throws Error(config) when `depth` is more than either tower has.
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  sdk::Options options_;
};

}  // namespace petlab::plugins::maple
