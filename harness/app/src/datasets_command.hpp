#pragma once

#include "command.hpp"
#include "petlab/datasets/registry.hpp"
#include "petlab/datasets/split.hpp"
#include "petlab/datasets/tools/build_icon_home.hpp"

// What the actions of `petlab datasets` share.
namespace petlab::app {

/// A count with pictures per second on a terminal, nothing elsewhere.
[[nodiscard]] datasets::tools::Progress counter(const char* what);

/// Adds --dataset, --lists, --domains, --class-names, --other-formats and --threads.
void add_dataset_options(po::options_description& options);

/// Adds --split and what belongs to it, and --seed.
void add_split_options(po::options_description& options);

/// The data set of ROOT: a folder, a CSV file, or icon-home. Says on stderr what it was taken for
/// when --dataset does not.
[[nodiscard]] datasets::Dataset open_root(const Parsed& options, bool fingerprint);

/// Without any option: the data set's own split where it has one, else 10 %.
[[nodiscard]] datasets::Split split_of(const Parsed& options, const datasets::Dataset& dataset);

}  // namespace petlab::app
