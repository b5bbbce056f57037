#pragma once

#include "petlab/datasets/dataset.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace petlab::datasets {

/// A data set that petlab knows by name, for `petlab datasets list`.
struct KnownDataset {
  std::string name;
  std::string description;
  std::string layout;  ///< what its folder looks like
  std::string source;  ///< where users get it
  std::string counts;  ///< published, by domain; "" for pictures of one's own
  std::string status;  ///< "built, 4162 images", or a sentence that says what to do
};

/// Looks for Icon-Home in `icon_home_dir`; an empty path leaves its status out.
[[nodiscard]] std::vector<KnownDataset> list_datasets(const std::filesystem::path& icon_home_dir);

/// Their names, in the same order.
[[nodiscard]] const std::vector<std::string>& dataset_names();

/// Where a study's data comes from.
struct DatasetSource {
  std::string name;                       ///< one of dataset_names()
  std::filesystem::path root;             ///< of the pictures; of csv: the manifest
  std::filesystem::path recipe = {};      ///< icon-home: manifest to compare with; may be empty
  std::vector<std::string> domains = {};  ///< to load, in this order; empty = all
  std::filesystem::path lists = {};       ///< folder of mini-domainnet's and the like; "" = in root
  bool fingerprint = true;                ///< false opens no picture
  unsigned threads = 0;
  /// CSV file (folder, name) of what classes are called in prompts; "" = as their folders.
  std::filesystem::path class_names = {};
  bool leave_out_foreign = false;  ///< as in FolderOptions
  ClassPart classes = ClassPart::all;
};

/// Loads by name. Throws base::Error(config) for an unknown name and for lists where the data set
/// has none, else base::Error(data) as load_folder does, and for names of classes that do not fit,
/// in one sentence.
[[nodiscard]] Dataset open_dataset(const DatasetSource& source);

/// What the folder or file `root` looks like: for a file "parquet", "webdataset" (.tar),
/// "coop-split"
/// (.json) or "csv"; "icon-home", a data set of CoOp by its split, one of domains by their folders
/// ("mini-domainnet" with splits_mini), "parquet", "webdataset"; else "folder". Reads no picture.
[[nodiscard]] std::string guess_dataset(const std::filesystem::path& root);

}  // namespace petlab::datasets
