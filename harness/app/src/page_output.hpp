#pragma once

#include "command.hpp"

#include <filesystem>
#include <string>
#include <vector>

// What `report` and `reproduce` share: the options of a report's page, and its way out.
namespace petlab::app {

/// --title, --without-times, --out, --format, --columns, --images, --published.
void add_page_options(po::options_description& options);

/// What --title and --out are when they are not given.
struct PageDefaults {
  std::string title = {};          ///< "": the names of the studies
  std::filesystem::path out = {};  ///< "": no files
};

/// Refuses what is wrong with these options and the files that they name, before a store is read or
/// an hour is spent on runs.
void check_page_options(const Parsed& options);

/// Whether these options print a report in one format in the place of the table.
[[nodiscard]] bool prints_format(const Parsed& options, const PageDefaults& defaults = {});

/// Reads the studies from the store, prints their tables, writes one page about them. Thumbnails
/// are of the images in --dataset-root, if the command has this option and it is given.
void show_page(const std::filesystem::path& store, const std::vector<std::string>& studies,
               const Parsed& options, const PageDefaults& defaults = {});

}  // namespace petlab::app
