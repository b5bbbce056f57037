#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>

namespace petlab::plugins::ivlp {

/// Independent vision-language prompting: deep prompts in both towers that know nothing of each
/// other, what MaPLe is compared with (Khattak et al., CVPR 2023, section 3.2).
class Ivlp final : public sdk::Method {
 public:
  /// Throws Error(config) when option `template` is given and has not exactly one "{}".
  explicit Ivlp(const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;

  /// Parameters `text-prompts` [text-depth, n-text, d_l] and `vision-prompts`
  /// [vision-depth, n-vision, d_v]. Throws Error(config) when a depth is more than its tower has.
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  sdk::Options options_;
};

}  // namespace petlab::plugins::ivlp
