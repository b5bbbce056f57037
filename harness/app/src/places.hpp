#pragma once

#include <filesystem>

namespace petlab::app {

/// This program.
[[nodiscard]] std::filesystem::path program_file();

/// The project's folder: PETLAB_HOME, else the nearest folder above the program that holds the
/// recipe of Icon-Home, else the working directory.
[[nodiscard]] std::filesystem::path project_home();

/// Default places in it.
[[nodiscard]] std::filesystem::path icon_home_recipe();
[[nodiscard]] std::filesystem::path icon_home_pictures();
[[nodiscard]] std::filesystem::path default_cache();

}  // namespace petlab::app
