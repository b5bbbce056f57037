#pragma once

#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/duplicates.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace petlab::datasets {

/// What `petlab datasets check` finds.
struct CheckReport {
  std::size_t pictures = 0;
  std::vector<std::string> unreadable;  ///< one sentence each
  /// "domain/class" with a single picture: never trained on.
  std::vector<std::string> single_picture_classes;
  /// "domain/class" for classes that some domains have and this one lacks.
  std::vector<std::string> missing_classes;
  std::vector<DuplicatePair> duplicates;  ///< identical and near; of the readable pictures
  int smallest_side = 0;
  int largest_side = 0;

  /// False when a picture cannot be read or is in two domains or classes with the same pixels.
  [[nodiscard]] bool passed() const;
};
std::ostream& operator<<(std::ostream& out, const CheckReport& report);

/// Decodes every picture and looks for duplicates; throws nothing for what it finds.
[[nodiscard]] CheckReport check_dataset(
    const Dataset& dataset, unsigned threads = 0,
    const std::function<void(std::size_t done, std::size_t total)>& progress = {});

/// A data set that petlab knows by name, and whether it can be used now.
struct KnownDataset {
  std::string name;
  std::string description;
  std::string status;  ///< "built, 4162 pictures", or a sentence that says what to do
};

/// For `petlab datasets list`; looks for Icon-Home in `icon_home_dir`.
[[nodiscard]] std::vector<KnownDataset> list_datasets(const std::filesystem::path& icon_home_dir);

/// Where a study's data comes from.
struct DatasetSource {
  std::string name;                       ///< "icon-home" or "folder"
  std::filesystem::path root;             ///< of the pictures
  std::filesystem::path recipe = {};      ///< icon-home: manifest to compare with; may be empty
  std::vector<std::string> domains = {};  ///< to load, in this order; empty = all
  unsigned threads = 0;
};

/// Loads by name. Throws sdk::Error(config) for an unknown name, else as the loaders do.
[[nodiscard]] Dataset open_dataset(const DatasetSource& source);

}  // namespace petlab::datasets
