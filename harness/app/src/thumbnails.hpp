#pragma once

#include "petlab/reports/report.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace petlab::app {

/// Thumbnails of the test images of studies, from their data sets on this machine. A store has no
/// pixels.
class Thumbnails {
 public:
  /// `root`: folder of the images, where it is not the one that the studies name; "": it is.
  explicit Thumbnails(std::string root) : root_(std::move(root)) {}

  /// Of one study: its images as PNG files, whole, the longer side 64 pixels at most, the pixels as
  /// they are stored and as they were tested. Reads and hashes all of the data set, once for
  /// studies of the same one. Throws Error(data) where it is not on this machine, and where it is
  /// not the one that was tested.
  [[nodiscard]] reports::Thumbnail of(const reports::Report& report);

 private:
  struct Images;
  [[nodiscard]] std::shared_ptr<const Images> open(const reports::Report& report) const;

  std::string root_;
  std::map<std::string, std::shared_ptr<const Images>> known_;  ///< by the data set's hash
};

}  // namespace petlab::app
