#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>

namespace petlab::plugins::mmap {

/// Multi-modal alignment prompt (Xin et al., AAAI 2024): the prompts of both towers are generated
/// from one source prompt a layer, P_l = K_l (x) P_s and P_v = K_v (x) P_s, so that the two
/// modalities stay tied. The first text layer has the words of option `init` beside them,
/// P_l = E(words) + K_l (x) P_s, so that training starts where CLIP stands (chosen: the paper does
/// not say how it starts). Source prompts and scaling matrices are trained, all else is frozen.
class Mmap final : public sdk::Method {
 public:
  /// Throws Error(config) when option `template` is given and has not exactly one "{}".
  explicit Mmap(const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;

  /// Parameters, with L = prompted layers of the deeper tower:
  /// `source` P_s [L, m, n], `text-scales` K_l [L_text, b/m, d_l/n] and
  /// `vision-scales` K_v [L_vision, b/m, d_v/n]; with `share-k` the scales have 1 in place of L.
  /// Ablations, option `prompts`: with `source` the scales are no parameters, with `independent`
  /// the parameters are `text-prompts` [L_text, b, d_l] and `vision-prompts` [L_vision, b, d_v].
  /// Throws Error(config) when the options do not fit the backbone (see resolve_shape).
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  sdk::Options options_;
};

}  // namespace petlab::plugins::mmap
