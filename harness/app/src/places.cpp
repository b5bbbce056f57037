#include "places.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <cstdlib>
#include <system_error>

namespace petlab::app {
namespace fs = std::filesystem;

fs::path program_file() {
  return fs::read_symlink("/proc/self/exe");
}

namespace {

constexpr const char* kManifest = "datasets/icon-home/manifest.csv";

bool holds_project(const fs::path& folder) {
  std::error_code ignored;  // a folder that cannot be read holds none
  return fs::exists(folder / kManifest, ignored);
}

/// The folder that the environment names, else ~/DEFAULT, with petlab's own below.
fs::path user_folder(const char* variable, const char* otherwise) {
  if (const char* named = std::getenv(variable); named != nullptr && *named == '/')
    return fs::path(named) / "petlab";
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? fs::path(home) / otherwise / "petlab"
                                          : fs::temp_directory_path() / "petlab";
}

/// An installed petlab leaves its own folder as it is.
bool is_installed() {
  const fs::path home = project_home();
  return home.filename() == "petlab" && home.parent_path().filename() == "share";
}

}  // namespace

fs::path project_home() {
  if (const char* home = std::getenv("PETLAB_HOME"); home != nullptr && *home != '\0') {
    if (!holds_project(home))
      base::throw_config_error("PETLAB_HOME is '" + base::escaped(home) +
                               "', expected petlab's own folder: no " + kManifest + " is in it");
    return home;
  }
  for (fs::path folder = program_file().parent_path(); folder.has_relative_path();
       folder = folder.parent_path())
    for (const fs::path& place : {folder, folder / "share" / "petlab"})
      if (holds_project(place)) return place;
  return fs::current_path();
}

fs::path icon_home_recipe() {
  return project_home() / "datasets" / "icon-home";
}
fs::path icon_home_pictures() {
  return is_installed() ? user_folder("XDG_DATA_HOME", ".local/share") / "icon-home"
                        : project_home() / "datasets" / "data" / "icon-home";
}
fs::path default_cache() {
  return is_installed() ? user_folder("XDG_CACHE_HOME", ".cache")
                        : project_home() / "datasets" / "cache";
}

}  // namespace petlab::app
