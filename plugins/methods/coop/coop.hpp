#pragma once

#include "petlab/sdk/method.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace petlab::plugins::coop {

/// Context optimisation (Zhou et al., "Learning to Prompt for Vision-Language Models", IJCV 2022):
/// n_ctx learned vectors stand before the class name at the input of the text tower, shared by all
/// classes: t_i = [V]_1 ... [V]_n [CLASS_i] (eq. 2).
class Coop final : public sdk::Method {
 public:
  explicit Coop(const sdk::Options& options);

  /// "{}.": the learned context takes the place of the words before the class name.
  [[nodiscard]] std::string text_template() const override;

  /// One parameter `context` [n_ctx, text width]; n_ctx * text width values.
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  std::int64_t n_ctx_;
  std::string init_;
  double init_std_;
};

}  // namespace petlab::plugins::coop
