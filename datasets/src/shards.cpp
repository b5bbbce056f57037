#include "shards.hpp"

#include "folder.hpp"
#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
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

void collect(const fs::path& folder, const std::string& ending, int depth,
             std::vector<fs::path>& files) {
  const Listing listing = list_folder(folder);
  std::copy_if(listing.files.begin(), listing.files.end(), std::back_inserter(files),
               [&](const fs::path& file) { return has_ending(file, ending); });
  if (depth == 0) return;
  for (const fs::path& below : listing.folders)
    collect(below, ending, depth - 1, files);
}

}  // namespace

std::vector<fs::path> find_shards(const fs::path& root, const std::string& ending,
                                  const std::string& expected) {
  std::error_code ignored;
  if (fs::is_regular_file(root, ignored) && has_ending(root, ending)) return {root};
  check_root(root, expected);
  std::vector<fs::path> files;
  collect(root, ending, kDepth, files);
  if (files.empty())
    base::throw_data_error("folder " + base::printable(root) + " holds no " + ending +
                           " file: " + expected);
  std::sort(files.begin(), files.end());
  return files;
}

bool has_shards(const fs::path& root, const std::string& ending) {
  // Not below: a folder of classes may hold millions of images.
  std::vector<fs::path> files;
  collect(root, ending, 0, files);
  for (const fs::path& below : list_folder(root).folders)
    if (below.filename() == "data" || part_of_folder(below)) collect(below, ending, 0, files);
  return !files.empty();
}

std::string shards_name(const fs::path& root) {
  std::error_code ignored;
  return fs::is_regular_file(root, ignored) ? root.stem().string() : name_of(root);
}

}  // namespace petlab::datasets
