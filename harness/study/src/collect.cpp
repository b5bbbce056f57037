#include "petlab/study/collect.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/private_folder.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/order_folder.hpp"

#include <unistd.h>

#include <cerrno>
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

/// Why a file of the spool cannot be copied, as the end of a sentence: workers publish files alone.
/// "" for one that can, or is not there.
std::string copy_fault(const fs::path& file) {
  const std::string name = base::printable(file.filename());
  std::error_code ignored;
  switch (fs::symlink_status(file, ignored).type()) {
    case fs::file_type::directory:
      return name + " is a folder, expected a file";
    case fs::file_type::symlink:
      return name + " is a symbolic link, expected a file";
    case fs::file_type::fifo:
    case fs::file_type::socket:
    case fs::file_type::block:
    case fs::file_type::character:
      return name + " is a pipe, a socket or a device, expected a file";
    default:
      break;
  }
  if (::access(file.c_str(), R_OK) == 0 || errno == ENOENT || errno == ENOTDIR) return "";
  return name + " cannot be read: " + std::error_code(errno, std::generic_category()).message();
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
    const fs::path adapters = results::adapter_file(shard, run);
    for (const fs::path& file : {shard, adapters})
      if (const std::string fault = copy_fault(file); !fault.empty())
        return set_aside(shard, fault);
    fs::copy_file(shard, copy);
    if (fs::exists(adapters)) {
      fs::create_directories(results::adapter_file(copy, run).parent_path());
      fs::copy_file(adapters, results::adapter_file(copy, run));
    }
    const std::string fault =
        ordered.count(run) > 0 ? fault_of(copy, run) : "its folder has no order of that run";
    if (!fault.empty()) {
      set_aside(shard, fault);
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
  void set_aside(const fs::path& shard, const std::string& fault) {
    rename_to(shard, ".unusable");
    result.unusable.push_back("result '" + base::printable(shard) +
                              "' cannot be used and was set aside as .unusable: " + fault);
  }

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
