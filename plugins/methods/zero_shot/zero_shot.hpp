#pragma once

#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>
#include <vector>

namespace petlab::plugins::zero_shot {

/// The backbone as it is: class names in a text template, nothing trained. With several templates,
/// the class weights are means over them.
class ZeroShot final : public sdk::Method {
 public:
  /// Throws Error(config) when option `template`, or one of `templates`, has not exactly one "{}".
  explicit ZeroShot(const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  std::string template_;
  std::vector<std::string> templates_;  // empty: the one above
};

}  // namespace petlab::plugins::zero_shot
