#pragma once

#include "interpreter.hpp"
#include "petlab/sdk/method.hpp"

#include <memory>
#include <string>

namespace petlab::plugins::python {

/// A class Method of a file, whose instance is made from the options.
class PythonMethod final : public sdk::Method {
 public:
  /// `file` names it in errors.
  PythonMethod(std::string file, const Object& type, const sdk::Options& options);

  [[nodiscard]] std::string text_template() const override;
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override;

 private:
  std::string file_;
  Object method_;
};

}  // namespace petlab::plugins::python
