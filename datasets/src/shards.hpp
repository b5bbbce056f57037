#pragma once

#include "petlab/datasets/dataset.hpp"
#include "published.hpp"

#include <filesystem>
#include <string>
#include <vector>

// Data sets whose pictures lie many to a file.
namespace petlab::datasets {

/// The files with an ending that lie in `root` or folders below it, sorted by their paths; `root`
/// itself where it is such a file. Throws base::Error(data) that ends with `expected` when there is
/// none, and that names a file where one is missing among them by their names, compressed, or no
/// whole download (shard_names.hpp).
[[nodiscard]] std::vector<std::filesystem::path> find_shards(const std::filesystem::path& root,
                                                             const std::string& ending,
                                                             const std::string& expected);

/// Whether there is one in `root`, or in its folders called data, train, val, test.
[[nodiscard]] bool has_shards(const std::filesystem::path& root, const std::string& ending);

/// What a data set is called that says nothing of domains: the folder, or the file without ending.
[[nodiscard]] std::string shards_name(const std::filesystem::path& root);

/// Parquet files as the Hugging Face hub has them: columns of images, of labels and, where there is
/// one, of domains (find_parquet_columns); a file's name or folder says its part (list_part).
/// Without a column of domains there is one, of the folder's name, unless the files are called by
/// domains (Art-00000-of-00001.parquet). Throws base::Error(data) naming file, column and row.
[[nodiscard]] Dataset load_parquet(const std::filesystem::path& root, const LoadOptions& options);

/// WebDataset's tar shards: NAME.jpg (png, webp, gif, bmp) with NAME.cls, a number or a name, or
/// NAME.json with "label" and, where there is one, "domain". classnames.txt in the root has the
/// names of the numbers, a line each. Throws base::Error(data) naming shard and member.
[[nodiscard]] Dataset load_webdataset(const std::filesystem::path& root,
                                      const LoadOptions& options);

}  // namespace petlab::datasets
