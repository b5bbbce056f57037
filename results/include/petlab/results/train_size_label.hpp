#pragma once

#include <string>

/// Rows of a study that has several training sizes: each is planned once a size.
namespace petlab::results {

/// A row at one of the sizes: "coop-joint" and "4".
struct TrainSizeLabel {
  std::string row;
  std::string size;  ///< images of each class, or below 1 a share; "" where the study has one size
};

/// "coop-joint@4", a label that no row of a protocol file has; without a size the row's own.
[[nodiscard]] inline std::string train_size_label(const TrainSizeLabel& label) {
  return label.size.empty() ? label.row : label.row + "@" + label.size;
}

/// The label read back.
[[nodiscard]] inline TrainSizeLabel parse_train_size_label(const std::string& label) {
  const auto at = label.rfind('@');
  return at == std::string::npos ? TrainSizeLabel{label, ""}
                                 : TrainSizeLabel{label.substr(0, at), label.substr(at + 1)};
}

}  // namespace petlab::results
