#pragma once

#include "petlab/sdk/adapter.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

// What methods with heads of their own share. Inline, as method_support.hpp.
namespace petlab::sdk {

/// `rows` with every row of length 1.
inline at::Tensor unit_rows(const at::Tensor& rows) {
  return rows / at::linalg_vector_norm(rows, 2, {-1}, /*keepdim=*/true);
}

/// The text template with the class name in the place of "{}".
inline std::string text_of(const std::string& text_template, const std::string& class_name) {
  std::string text = text_template;
  return text.replace(text.find("{}"), 2, class_name);
}

/// One unit row a class: the mean over the templates of the unit text features, made unit again.
inline at::Tensor class_weights(const BackboneView& backbone,
                                const std::vector<std::string>& templates,
                                const std::vector<std::string>& classes) {
  at::Tensor sum;
  for (const std::string& text_template : templates) {
    std::vector<std::string> texts;
    texts.reserve(classes.size());
    for (const std::string& name : classes)
      texts.push_back(text_of(text_template, name));
    const at::Tensor features = unit_rows(backbone.text_features(texts).detach());
    sum = sum.defined() ? sum + features : features;
  }
  return unit_rows(sum);
}

/// The classes of several tasks, each name once, and where those of each task stand: tasks that
/// share an adapter share what belongs to a class of the same name.
struct ClassUnion {
  explicit ClassUnion(const std::vector<TaskView>& tasks) {
    for (const TaskView& task : tasks) {
      at::Tensor rows = at::zeros({static_cast<std::int64_t>(task.classes.size())}, at::kLong);
      for (std::size_t i = 0; i < task.classes.size(); ++i) {
        auto found = std::find(names.begin(), names.end(), task.classes[i]);
        if (found == names.end()) found = names.insert(names.end(), task.classes[i]);
        rows.data_ptr<std::int64_t>()[i] = found - names.begin();
      }
      rows_of_task.push_back(rows);
    }
  }

  std::vector<std::string> names;        ///< in the order of their first task
  std::vector<at::Tensor> rows_of_task;  ///< int64 [n_classes of the task]: indices into names
};

}  // namespace petlab::sdk
