#pragma once

#include "command.hpp"

#include <filesystem>
#include <string>
#include <vector>

// What `report` and `reproduce` share: the options of a report's page, and its way out.
namespace petlab::app {

/// --title, --without-times, --out, --format, --published.
void add_page_options(po::options_description& options);

/// What --title and --out are when they are not given.
struct PageDefaults {
  std::string title = {};          ///< "": the names of the studies
  std::filesystem::path out = {};  ///< "": no files
};

/// Reads the studies from the store, prints their tables, writes one page about them. Whatever
/// option is wrong is found before the store is read.
void show_page(const std::filesystem::path& store, const std::vector<std::string>& studies,
               const Parsed& options, const PageDefaults& defaults = {});

}  // namespace petlab::app
