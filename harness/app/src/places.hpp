#pragma once

#include <filesystem>

namespace petlab::app {

/// This program.
[[nodiscard]] std::filesystem::path program_file();

/// The project's folder: PETLAB_HOME, else the nearest folder above the program that holds the
/// recipe of Icon-Home, itself (a source tree) or in share/petlab (installed), else the working
/// directory. Throws Error(config) where PETLAB_HOME is a folder without that recipe.
[[nodiscard]] std::filesystem::path project_home();

/// Default places: in a source tree, folders of it; an installed petlab keeps images in
/// $XDG_DATA_HOME/petlab (~/.local/share/petlab) and caches in $XDG_CACHE_HOME/petlab
/// (~/.cache/petlab).
[[nodiscard]] std::filesystem::path icon_home_recipe();
[[nodiscard]] std::filesystem::path icon_home_pictures();
[[nodiscard]] std::filesystem::path default_cache();

}  // namespace petlab::app
