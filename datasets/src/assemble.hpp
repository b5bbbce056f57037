#pragma once

#include "petlab/datasets/dataset.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::datasets {

/// A picture as a loader finds it.
struct Entry {
  std::string domain;
  std::string class_name;
  std::filesystem::path file;
  Part part = Part::none;
  /// Tells pictures of a class apart whose files have the same name: the path in the list. May be
  /// empty where a class is one folder.
  std::string path_in_list = {};
  Place place = {};  ///< in `file`
};

struct AssembleOptions {
  std::string name;
  std::string version = "1";
  std::filesystem::path root;             ///< for messages
  std::vector<std::string> domains = {};  ///< to keep, in this order; empty = all, sorted
  /// All classes in the order of their labels, also those without a picture; empty = those that
  /// have some, sorted.
  std::vector<std::string> class_order = {};
  bool fingerprint = true;
  unsigned threads = 0;
};

/// Makes a data set of what a loader found: chooses domains, numbers classes, makes ids. Throws
/// base::Error as load_folder does.
[[nodiscard]] Dataset assemble(const std::vector<Entry>& entries, const AssembleOptions& options);

}  // namespace petlab::datasets
