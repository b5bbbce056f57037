#include "listed_pictures.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>
#include <system_error>

namespace petlab::datasets {

namespace fs = std::filesystem;

bool leaves_folder(const std::string& path) {
  const fs::path parts(path);
  return path.empty() || parts.is_absolute() || path.find('\0') != std::string::npos ||
         std::find(parts.begin(), parts.end(), "..") != parts.end();
}

void ListedPictures::add(const std::string& path, const std::string& class_name, Part part,
                         const std::string& where) {
  if (leaves_folder(path))
    base::throw_data_error(where + ": path '" + base::escaped(path) +
                           "' leads out of the folder of the images, expected one that starts at " +
                           base::printable(folder_));
  const std::string plain = fs::path(path).lexically_normal().string();
  const auto [twin, fresh] = by_path_.emplace(plain, entries_.size());
  if (!fresh)
    base::throw_data_error(where + ": image '" + base::escaped(path) + "' is listed already, in " +
                           wheres_[twin->second]);
  entries_.push_back({domain_, class_name, folder_ / plain, part, plain});
  wheres_.push_back(where);
}

std::vector<Entry> ListedPictures::entries() const {
  std::size_t missing = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::error_code ignored;
    if (fs::is_regular_file(entries_[i].file, ignored)) continue;
    if (missing++ == 0) first = i;
  }
  if (missing > 0)
    base::throw_data_error(
        wheres_[first] + ": image " + base::printable(entries_[first].file) + " does not exist" +
        (missing == 1 ? std::string()
                      : ", nor do " + std::to_string(missing - 1) + " more of the " +
                            std::to_string(entries_.size()) + " that are listed"));
  return entries_;
}

}  // namespace petlab::datasets
