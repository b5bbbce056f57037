#include "tree.hpp"

#include "file_kind.hpp"
#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/image.hpp"

#include <algorithm>
#include <set>
#include <system_error>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;

bool is_left_behind(const std::string& name) {
  static const std::set<std::string> names{"__macosx",     "thumbs.db",  "desktop.ini", "@eadir",
                                           "$recycle.bin", "lost+found", "ehthumbs.db"};
  return name.front() == '.' || names.contains(lower_case(name));
}

/// A link to a folder above itself would make the tree endless.
void check_link(const fs::path& link, const fs::path& folder) {
  std::error_code ignored;
  const std::string target = (fs::canonical(link, ignored) / "").string();
  const std::string here = (fs::canonical(folder, ignored) / "").string();
  if (here.starts_with(target))
    base::throw_data_error("symbolic link " + base::printable(link) + " leads back to " +
                           base::printable(target) + ", which it lies in: remove the link");
}

bool by_name(const fs::path& a, const fs::path& b) {
  return a.filename().native() < b.filename().native();
}

}  // namespace

Listing list_folder(const fs::path& folder) {
  Listing listing;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (is_left_behind(path.filename().string())) continue;
    std::error_code status_error;
    const bool is_folder = it->is_directory(status_error);
    if (status_error == std::errc::too_many_symbolic_link_levels)
      base::throw_data_error("symbolic link " + base::printable(path) +
                             " leads back to itself: remove the link");
    if (is_folder && it->is_symlink(status_error)) check_link(path, folder);
    (is_folder ? listing.folders : listing.files).push_back(path);
  }
  if (error)
    base::throw_data_error("cannot read folder " + base::printable(folder) + ": " +
                           error.message());
  std::sort(listing.folders.begin(), listing.folders.end(), by_name);
  std::sort(listing.files.begin(), listing.files.end(), by_name);
  return listing;
}

int picture_depth(const fs::path& folder, int limit) {
  const Listing listing = list_folder(folder);
  // Names first: they cost nothing.
  if (std::any_of(listing.files.begin(), listing.files.end(), has_picture_ending) ||
      std::any_of(listing.files.begin(), listing.files.end(),
                  [](const fs::path& file) { return file_kind(file) != FileKind::other; }))
    return 0;
  int best = -1;
  for (const fs::path& below : listing.folders) {
    if (limit == 0 || best == 1) break;
    const int depth = picture_depth(below, best < 0 ? limit - 1 : best - 2);
    if (depth >= 0 && (best < 0 || depth + 1 < best)) best = depth + 1;
  }
  return best;
}

std::string names_of(const std::vector<fs::path>& paths) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(paths.size(), kShown); ++i)
    text += (i == 0 ? "'" : ", '") + base::printable(paths[i].filename()) + "'";
  if (paths.size() > kShown) text += " ... (" + std::to_string(paths.size()) + " in all)";
  return text;
}

}  // namespace petlab::datasets
