#include "shards.hpp"

#include "folder.hpp"
#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "shard_names.hpp"
#include "tree.hpp"

#include <algorithm>
#include <iterator>
#include <system_error>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;

bool has_ending(const fs::path& file, const std::string& ending) {
  return lower_case(file.extension().string()) == ending;
}

/// The hub's folders are two deep: data/, or configuration and split.
constexpr int kDepth = 3;

/// The files that `is_wanted(file)` in a folder and `depth` levels below it.
template <class IsWanted>
void collect(const fs::path& folder, const IsWanted& is_wanted, int depth,
             std::vector<fs::path>& files) {
  const Listing listing = list_folder(folder);
  std::copy_if(listing.files.begin(), listing.files.end(), std::back_inserter(files), is_wanted);
  if (depth == 0) return;
  for (const fs::path& below : listing.folders)
    collect(below, is_wanted, depth - 1, files);
}

}  // namespace

std::vector<fs::path> find_shards(const fs::path& root, const std::string& ending,
                                  const std::string& expected) {
  std::error_code ignored;
  if (fs::is_regular_file(root, ignored) && has_ending(root, ending)) return {root};
  check_root(root, expected);
  std::vector<fs::path> files;
  const auto is_shard = [&](const fs::path& file) {
    refuse_unread_shard(file, ending);
    return has_ending(file, ending);
  };
  collect(root, is_shard, kDepth, files);
  if (files.empty())
    base::throw_data_error("folder " + base::printable(root) + " holds no " + ending +
                           " file: " + expected);
  require_all_shards(files);
  std::sort(files.begin(), files.end());
  return files;
}

bool has_shards(const fs::path& root, const std::string& ending) {
  // Not below: a folder of classes may hold millions of images.
  std::vector<fs::path> files;
  const auto is_shard = [&](const fs::path& file) { return has_ending(file, ending); };
  collect(root, is_shard, 0, files);
  for (const fs::path& below : list_folder(root).folders)
    if (below.filename() == "data" || part_of_folder(below)) collect(below, is_shard, 0, files);
  return !files.empty();
}

std::string shards_name(const fs::path& root) {
  std::error_code ignored;
  return fs::is_regular_file(root, ignored) ? root.stem().string() : name_of(root);
}

}  // namespace petlab::datasets
