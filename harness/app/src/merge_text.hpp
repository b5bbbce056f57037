#pragma once

#include "petlab/results/merge.hpp"

#include <filesystem>

namespace petlab::app {

/// Says on standard output what a merge did, and on stderr what is not the same in both.
void print_merge(const results::MergeReport& report, const std::filesystem::path& into);

}  // namespace petlab::app
