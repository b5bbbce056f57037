#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace petlab::results {

struct MergeOptions {
  /// A study whose name is taken by another plan is kept beside it as NAME-FILE instead of being
  /// refused.
  bool rename = false;
  /// Settings of protocols ("dataset.root") that say where something lies: they may differ in two
  /// stores of one study.
  std::set<std::string> places = {};
};

/// What a merge did.
struct MergeReport {
  std::int64_t splits_added = 0;
  std::int64_t studies_added = 0;
  std::int64_t runs_added = 0;
  std::int64_t runs_replaced = 0;    // a failed run by a finished one or by a later attempt
  std::int64_t runs_kept = 0;        // there already, the same or better
  std::int64_t adapters_copied = 0;  // files of adapters

  /// One sentence for each run that came without its adapters: their file is missing or damaged.
  std::vector<std::string> without_adapters;

  /// One sentence for each thing that is not the same in both although it should be: finished runs
  /// of one identity with other weights, losses or predictions, searches of one row with other
  /// outcomes. What was there first stays.
  std::vector<std::string> differences;

  /// One sentence for each study whose plan grew by seeds or rows.
  std::vector<std::string> joined;

  /// One sentence for each study that got another name.
  std::vector<std::string> renamed;
};

/// Joins stores: everything in the files `from` (data sets, splits, runs, studies, searches, not
/// the leases) comes into the file `into`, which is made where there is none, and the adapters of
/// their finished runs beside it. Runs are joined by
/// identity: a finished run wins over a failed one, of two failed ones the one with more attempts,
/// then the later one. Studies are joined by name: their plans may have other seeds and other rows,
/// but must be parts of one (the same settings, the same rows of one label, one data set). The plan
/// is then all of them.
///
/// One transaction in `into`: all of it happens or nothing, but for files of adapters, which are
/// copied before it ends. The files `from` are only read, those
/// of an older schema through a temporary copy. Merging the same files again changes nothing.
///
/// Throws base::Error(store) when a file cannot be read, when a run contradicts itself
/// (RunStore::record() names the rules), when a split has the hash of another, when a study of the
/// same name has another plan (unless `options.rename`), and when a file is merged into itself.
MergeReport merge_stores(const std::filesystem::path& into,
                         const std::vector<std::filesystem::path>& from,
                         const MergeOptions& options = {});

}  // namespace petlab::results
