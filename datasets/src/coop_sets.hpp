#pragma once

#include "petlab/datasets/dataset.hpp"
#include "published.hpp"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

// The 11 data sets of CoOp (Zhou et al., 2022), arranged as its DATASETS.md says: one domain, a
// split of train, val and test.
namespace petlab::datasets {

/// What is known of one of them.
struct CoopSet {
  const char* name;    ///< petlab's; also its domain's
  const char* what;    ///< one line
  const char* folder;  ///< CoOp's name of its folder
  const char* images;  ///< the images' folder in it; "" = the folder itself
  /// CoOp's split in it; "" for the two that are split otherwise.
  const char* split;
  const char* text;  ///< CoOp's text for zero-shot, of its trainers/zsclip.py
  /// Classes and images of the split, as public tables of these splits have them.
  std::size_t classes;
  std::size_t train;
  std::size_t validation;
  std::size_t test;
};

/// In CoOp's order.
[[nodiscard]] std::span<const CoopSet> coop_sets();

/// The one that the folder `root` looks like by the files in it; null where it is none.
[[nodiscard]] const CoopSet* coop_set_in(const std::filesystem::path& root);

/// Loads one. `root` is its folder, or the one that holds all of CoOp's; `options.lists` may name
/// the split, or its folder. Classes are in the order of their labels. Throws base::Error(data)
/// naming file and entry for what does not fit.
[[nodiscard]] Dataset load_coop(const CoopSet& set, const std::filesystem::path& root,
                                const LoadOptions& options);

/// Loads a split in the same form of a data set that petlab does not know: a JSON file, or a folder
/// that holds one called split*.json. Paths start at its folder, or at the folder `images` in it.
[[nodiscard]] Dataset load_coop_split(const std::filesystem::path& root,
                                      const LoadOptions& options);

}  // namespace petlab::datasets
