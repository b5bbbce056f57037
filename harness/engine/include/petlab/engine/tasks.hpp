#pragma once

#include "petlab/datasets/image.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace petlab::engine {

/// Some images of one domain with their labels.
struct LabelledImages {
  at::Tensor images;                 ///< uint8 [n, 3, S, S] on the CPU: all images of the domain
  std::vector<std::int64_t> rows;    ///< the images that are meant, as rows of `images`
  std::vector<std::int64_t> labels;  ///< one a row: index into the task's classes
  /// The image of a row as its file holds it, of any size: what crops are drawn from. For several
  /// threads at once. Null: `images` are the originals.
  std::function<datasets::Image(std::int64_t)> original = {};

  /// The same images, none of which is meant: a part of them adds its rows.
  [[nodiscard]] LabelledImages without_rows() const { return {images, {}, {}, original}; }

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
};

/// One task as training sees it. Test images and labels are elsewhere (RunInputs::load_test), so
/// that nothing but the evaluator can look at them.
struct Task {
  std::string name;
  std::vector<std::string> classes;  ///< as they stand in prompts, in label order
  LabelledImages train;
};

/// The names of tasks, in their order.
template <typename Named>
[[nodiscard]] std::vector<std::string> names_of(const std::vector<Named>& tasks) {
  std::vector<std::string> names;
  for (const Named& task : tasks)
    names.push_back(task.name);
  return names;
}

}  // namespace petlab::engine
