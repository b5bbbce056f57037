#pragma once

#include "assemble.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

// Pictures that a file names by their paths.
namespace petlab::datasets {

/// Whether a path that somebody else wrote is none below a folder: absolute, empty, or with "..".
[[nodiscard]] bool leaves_folder(const std::string& path);

/// Collects the pictures of one domain that lists name, all below one folder.
class ListedPictures {
 public:
  ListedPictures(std::filesystem::path folder, std::string domain)
      : folder_(std::move(folder)), domain_(std::move(domain)) {}

  /// `where` says which line or entry names it. Throws base::Error(data) for a path that leaves the
  /// folder and for a picture that is named already.
  void add(const std::string& path, const std::string& class_name, Part part,
           const std::string& where);

  /// What was added. Throws base::Error(data) naming the first picture that is not in the folder,
  /// and how many are not.
  [[nodiscard]] std::vector<Entry> entries() const;

 private:
  std::filesystem::path folder_;
  std::string domain_;
  std::vector<Entry> entries_;
  std::vector<std::string> wheres_;
  std::map<std::string, std::size_t> by_path_;
};

}  // namespace petlab::datasets
