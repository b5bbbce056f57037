#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>

namespace petlab::plugins::coop {

enum class Contexts {
  shared,    ///< one context for all classes
  by_class,  ///< a context for each class name, the same in all tasks that have the class
};

/// Context optimisation (Zhou et al., "Learning to Prompt for Vision-Language Models", IJCV 2022):
/// n_ctx learned vectors stand around the class name at the input of the text tower,
/// t_i = [V]_1 ... [V]_n [CLASS_i] (eq. 2), or with the class name in their middle or in front;
/// shared by all classes or of each class its own.
class Coop final : public sdk::Method {
 public:
  Coop(Contexts contexts, const sdk::Options& options);

  /// "{}.": the learned context takes the place of the words around the class name.
  [[nodiscard]] std::string text_template() const override;

  /// Shared: one parameter `context` [n_ctx, text width]. By class: `contexts`
  /// [n_names, n_ctx, text width], one for each class name of the adapter's tasks, in the order in
  /// which they first appear.
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  Contexts contexts_;
  sdk::Options options_;
};

}  // namespace petlab::plugins::coop
