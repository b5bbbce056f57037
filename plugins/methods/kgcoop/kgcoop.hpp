#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>

namespace petlab::plugins::kgcoop {

/// Knowledge-guided context optimisation (Yao et al., "Visual-Language Prompt Tuning with
/// Knowledge-guided Context Optimization", CVPR 2023): CoOp's shared context, whose class features
/// w_i must stay near those of a hand-crafted text, w_i^clip:
/// L = CE + lambda * mean_i d(w_i, w_i^clip) (eq. 5, 6).
class KgCoop final : public sdk::Method {
 public:
  /// Throws Error(config) when option `reference` has not exactly one "{}".
  explicit KgCoop(const sdk::Options& options);

  /// "{}.": the learned context takes the place of the words around the class name.
  [[nodiscard]] std::string text_template() const override;

  /// One parameter `context` [n_ctx, text width]. Of two composed adapters the first alone has the
  /// loss: the class features that it holds back are made by both.
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  sdk::Options options_;
};

}  // namespace petlab::plugins::kgcoop
