#pragma once

#include "command.hpp"
#include "petlab/reports/quoted.hpp"

#include <filesystem>
#include <vector>

// Quoted numbers from CSV files (reports/published/README.md).
namespace petlab::app {

/// Throws Error(config or data) naming file and line for a missing column, an empty field, a value
/// that is no number.
[[nodiscard]] std::vector<reports::QuotedNumber> read_published(const std::filesystem::path& file);

/// Adds --published.
void add_published_option(po::options_description& options);

/// Reads the files of --published, for their mistakes alone.
void check_published(const Parsed& options);

/// Puts the shipped numbers and those of --published into the reports that they are about. Says on
/// stderr how many numbers of a file of --published are about no row of them.
void quote_published(std::vector<reports::Report>& studies, const Parsed& options);

}  // namespace petlab::app
