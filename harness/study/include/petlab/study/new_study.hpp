#pragma once

#include <string>
#include <utility>
#include <vector>

namespace petlab::study {

/// What the first study of a user's own images says.
struct NewStudy {
  std::string description;  ///< of the data set, a comment: "4 domains, 65 classes, 15,588 images"
  /// Keys of [dataset] and [backbone] with their values, in the order of the file.
  std::vector<std::pair<std::string, std::string>> dataset, backbone;
  std::vector<std::string> methods;
  std::size_t domains = 1;  ///< groupings need more than two
};

/// The text of its protocol file: commented, ready to be edited. The plain way to share is `joint`;
/// mmap gets a row with groups too, where there are three domains or more.
[[nodiscard]] std::string new_study_text(const NewStudy& study);

}  // namespace petlab::study
