#include "places.hpp"

#include <cstdlib>

namespace petlab::app {
namespace fs = std::filesystem;

fs::path program_file() {
  return fs::read_symlink("/proc/self/exe");
}

fs::path project_home() {
  if (const char* home = std::getenv("PETLAB_HOME"); home != nullptr && *home != '\0') return home;
  for (fs::path folder = program_file().parent_path(); folder.has_relative_path();
       folder = folder.parent_path())
    if (fs::exists(folder / "datasets" / "icon-home" / "manifest.csv")) return folder;
  return fs::current_path();
}

fs::path icon_home_recipe() {
  return project_home() / "datasets" / "icon-home";
}
fs::path icon_home_pictures() {
  return project_home() / "datasets" / "data" / "icon-home";
}
fs::path default_cache() {
  return project_home() / "datasets" / "cache";
}

}  // namespace petlab::app
