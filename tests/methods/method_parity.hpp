#pragma once

#include "method_bench.hpp"

#include <memory>
#include <string>
#include <vector>

// One step of a method in petlab against a reference in Python, reference/<family>.py, written from
// the method's publication on transformers' CLIPModel. What is exchanged is described in
// reference/run.py.
namespace petlab::tests {

/// The cases of one program with one reference, which runs once for all of them.
class MethodFamily {
 public:
  /// `name` is a module in tests/methods/reference; its table METHODS has the method of each case.
  MethodFamily(std::string name, std::vector<MethodCase> cases);

  [[nodiscard]] const std::vector<MethodCase>& cases() const { return cases_; }

  /// Expects that logits, loss and gradients of one step of all tasks, with parameters moved off
  /// their start, equal the reference's: to 1e-4 of a tensor's largest value.
  void expect_step_equals_reference(const MethodCase& one);

 private:
  void run_reference();

  std::string name_;
  std::vector<MethodCase> cases_;
  std::filesystem::path folder_;  ///< empty until the reference has run
};

}  // namespace petlab::tests
