#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace petlab::datasets {

struct Sample {
  /// "domain/class/file" without the file's extension, the same on every machine. With it where
  /// two pictures of a class differ in nothing else.
  std::string id;
  std::filesystem::path file;
  std::int64_t label = 0;  ///< index into Dataset::classes
};

/// One visual domain; classifying its pictures is one task.
struct Domain {
  std::string name;
  std::vector<Sample> samples;        ///< sorted by id
  std::vector<std::int64_t> classes;  ///< labels present in this domain, ascending
};

struct Dataset {
  std::string name;
  std::string version;
  std::vector<std::string> classes;        ///< folder names over all domains, C-locale order
  std::vector<std::string> display_names;  ///< the same for prompts: '_' is a blank
  std::vector<Domain> domains;             ///< C-locale order, or as asked for
  /// Lower-case hexadecimal SHA-256 over all ids, labels, class names and file bytes.
  std::string fingerprint;
};

struct FolderOptions {
  std::string name = "folder";
  std::string version = "1";
  /// Domains to load, in this order; empty = all. Compared without case, blanks, '_' and '-', so
  /// that `real_world` finds the folder `Real World`.
  std::vector<std::string> domains = {};
  /// False leaves `fingerprint` empty: no file is opened.
  bool fingerprint = true;
  unsigned threads = 0;  ///< for the fingerprint; 0 = all cores
};

/// Loads `root/domain/class/picture.{jpg,jpeg,png}`. Labels are keyed on the class name over all
/// domains; domains may have different classes. Plain files in the root and in a domain, and names
/// that start with a dot, are left out, as are files that are no pictures. Throws sdk::Error(data)
/// naming the path for: no such root, no domain, a domain without classes, an empty class, a class
/// that holds folders, a picture format that petlab cannot read, two classes whose names differ
/// only in case.
[[nodiscard]] Dataset load_folder(const std::filesystem::path& root,
                                  const FolderOptions& options = {});

/// The fingerprint of a data set as it is on disk now. Throws sdk::Error(data) naming a file that
/// cannot be read.
[[nodiscard]] std::string fingerprint(const Dataset& dataset, unsigned threads = 0);

/// Number of pictures over all domains.
[[nodiscard]] std::size_t sample_count(const Dataset& dataset);

/// A table of domains: pictures, classes, smallest and largest class.
void print_summary(std::ostream& out, const Dataset& dataset);

}  // namespace petlab::datasets
