#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::engine {

/// Some images of one domain with their labels.
struct LabelledImages {
  at::Tensor images;                 ///< uint8 [n, 3, S, S] on the CPU: all images of the domain
  std::vector<std::int64_t> rows;    ///< the images that are meant, as rows of `images`
  std::vector<std::int64_t> labels;  ///< one a row: index into the task's classes

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

/// One task as training sees it. Test images and labels are elsewhere (RunInputs::load_test), so
/// that nothing but the evaluator can look at them.
struct Task {
  std::string name;
  std::vector<std::string> classes;  ///< as they stand in prompts, in label order
  LabelledImages train;
};

}  // namespace petlab::engine
