#include "petlab/study/collect.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/private_folder.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/order_folder.hpp"

#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;

void add(results::MergeReport& sum, const results::MergeReport& one) {
  sum.splits_added += one.splits_added;
  sum.studies_added += one.studies_added;
  sum.runs_added += one.runs_added;
  sum.runs_replaced += one.runs_replaced;
  sum.runs_kept += one.runs_kept;
  sum.adapters_copied += one.adapters_copied;
  sum.without_adapters.insert(sum.without_adapters.end(), one.without_adapters.begin(),
                              one.without_adapters.end());
  sum.differences.insert(sum.differences.end(), one.differences.begin(), one.differences.end());
}

/// What is wrong with a result; "" for a sound one.
std::string fault_of(const fs::path& copy, const std::string& run) {
  try {
    const results::RunStore store(copy, results::OpenMode::read_only);
    return store.load(run) ? "" : "it does not hold the run that its name says";
  } catch (const base::Error& error) {
    return error.what();
  }
}

void rename_to(const fs::path& shard, const char* ending) {
  fs::path aside = shard;
  aside += ending;
  fs::rename(shard, aside);
}

class Collector {
 public:
  explicit Collector(const fs::path& store) : store_(store), scratch_("petlab-collect") {}

  /// `ordered`: the folder's runs.
  void take(const OrderFolder& folder, const std::set<std::string>& ordered,
            const fs::path& shard) {
    const std::string run = shard.filename().string().substr(0, 64);
    const fs::path copy = scratch_.path() / shard.filename();
    fs::copy_file(shard, copy);
    const fs::path adapters = results::adapter_file(shard, run);
    if (fs::exists(adapters)) {
      fs::create_directories(results::adapter_file(copy, run).parent_path());
      fs::copy_file(adapters, results::adapter_file(copy, run));
    }
    const std::string fault =
        ordered.count(run) > 0 ? fault_of(copy, run) : "its folder has no order of that run";
    if (!fault.empty()) {
      rename_to(shard, ".unusable");
      result.unusable.push_back("result '" + base::printable(shard) +
                                "' cannot be used and was set aside as .unusable: " + fault);
    } else {
      if (!kept_open_) kept_open_.emplace(store_);
      const results::MergeReport merged = results::merge_stores(store_, {copy});
      add(result.merged, merged);
      ++result.shards;
      folder.mark_collected(run);
      if (merged.differences.empty()) {
        fs::remove(shard);
        fs::remove_all(adapters.parent_path());
      } else {
        rename_to(shard, ".differs");
      }
    }
    std::error_code ignored;
    fs::remove(copy, ignored);
    fs::remove_all(results::adapter_file(copy, run).parent_path(), ignored);
  }

  Collected result;

 private:
  const fs::path& store_;
  base::PrivateFolder scratch_;
  /// When its last connection closes SQLite copies its log into the file and waits for the disk:
  /// once in the end, not after each result.
  std::optional<results::RunStore> kept_open_;
};

}  // namespace

Collected collect(const fs::path& store) {
  Collector collector(store);
  for (const OrderFolder& folder : order_folders(store)) {
    const std::set<std::string> ordered(folder.runs().begin(), folder.runs().end());
    for (const fs::path& shard : folder.shards()) {
      try {
        collector.take(folder, ordered, shard);
      } catch (const fs::filesystem_error& error) {
        // Another collect may have taken it meanwhile.
        std::error_code ignored;
        if (fs::exists(shard, ignored))
          throw base::Error(base::ErrorKind::store,
                            "result '" + base::printable(shard) +
                                "' cannot be collected: " + error.code().message());
      }
    }
  }
  return std::move(collector.result);
}

}  // namespace petlab::study
