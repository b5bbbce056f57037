#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>

namespace petlab::plugins::cocoop {

/// Conditional context optimisation (Zhou et al., "Conditional Prompt Learning for Vision-Language
/// Models", CVPR 2022): CoOp's context vectors, each shifted by what a small network makes of the
/// image: v_m(x) = v_m + h(x), h(x) = W2 relu(W1 f(x) + b1) + b2, f(x) the unit image feature.
class Cocoop final : public sdk::Method {
 public:
  explicit Cocoop(const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;

  /// Parameters `context` [n_ctx, d_l], `down` [embed_dim / reduction, embed_dim], `down-bias`,
  /// `up` [d_l, embed_dim / reduction] and `up-bias`.
  /// Throws Error(config) when the network would have no hidden unit.
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  sdk::Options options_;
};

}  // namespace petlab::plugins::cocoop
