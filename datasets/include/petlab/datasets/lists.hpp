#pragma once

#include "petlab/datasets/dataset.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::datasets {

/// A line of a published image list.
struct ListRow {
  std::string path;    ///< as in the list
  std::string domain;  ///< the three last parts of the path, "images" and part folders left out
  std::string class_name;
  std::string file_name;
  std::int64_t label = 0;
  Part part = Part::none;
  std::size_t file = 0;  ///< index into ImageList::files
  std::size_t line = 0;
};

/// The rows of some lists that belong together.
struct ImageList {
  std::vector<std::filesystem::path> files;
  std::vector<ListRow> rows;

  /// "train_10.txt line 7", for messages.
  [[nodiscard]] std::string where(const ListRow& row) const;
};

/// Reads lists of the literature: a line is a path that ends in `domain/class/file`, a blank and a
/// label number. So are MRN's and VMTL's (`/any/where/images/Art/Alarm_Clock/00001.jpg 0`),
/// SSDA_MME's, Dassl's, splits_mini and LibMTL's (`Art/Alarm_Clock/00001.jpg 0`), and Office-31's
/// (`amazon/images/mug/frame_0001.jpg 13`). Paths may hold blanks. The part is told by the file's
/// name, as list_part says.
///
/// Classes are keyed on their names. Numbers sort differently in different publications and are
/// only tested: throws base::Error(data) naming file and line where a number has two names or a
/// name two numbers, within or between the files, where numbers are left out (they count from 0 or
/// 1), where a picture is listed twice, and for a line of another form.
[[nodiscard]] ImageList read_lists(const std::vector<std::filesystem::path>& files);

/// The part that a list's name stands for: `train_10.txt`, `clipart_train.txt`, `Art_val.txt`,
/// `art_painting_crossval_kfold.txt`, `Real_test.txt`; and SSDA_MME's `labeled_target_images_Art_3`
/// (train), `validation_target_...` (validation), `unlabeled_target_...` (test),
/// `labeled_source_...` (none: all of a domain). Else the name of its folder is looked at.
[[nodiscard]] Part list_part(const std::filesystem::path& file);

/// The files that `text` names, sorted: paths, patterns with * ? [] {a,b}, and folders (all .txt
/// and .csv in them), with commas between. Relative ones start at `base`. Throws
/// base::Error(config) for one that matches nothing.
[[nodiscard]] std::vector<std::filesystem::path> expand_lists(
    const std::string& text, const std::filesystem::path& base = {});

/// The domain of a data set that a list calls `name`, by any of the spellings of the literature
/// ("Real", "Rw" and "real_world" are Office-Home's "Real World"); the number of domains when there
/// is none.
[[nodiscard]] std::size_t find_domain(const Dataset& dataset, const std::string& name);

}  // namespace petlab::datasets
