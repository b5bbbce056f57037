#pragma once

#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/split.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/results/record.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::engine {

/// The pictures of a study: `dataset` with the fingerprint of what is on disk.
[[nodiscard]] datasets::Dataset open_study_dataset(const DatasetSpec& spec);

/// The split of a run by the dataset's choice and the run's seed. With validation: its training
/// pictures, parted again, or the lists' validation pictures or the development images as test; no
/// test picture is in it. Throws Error(data) naming a domain that would not be trained on or not be
/// tested.
[[nodiscard]] datasets::Split study_split(const datasets::Dataset& dataset, const DatasetSpec& spec,
                                          std::uint64_t seed);

/// What a reader of a study on this split must know (datasets::split_notes), and what was left out
/// of the data set; one sentence each.
[[nodiscard]] std::vector<std::string> study_notes(const datasets::Dataset& dataset,
                                                   const datasets::Split& split,
                                                   const DatasetSpec& spec);

/// The split as the store keeps it. Labels of a task count the classes that its domain has.
[[nodiscard]] results::SplitRecord split_record(const datasets::Dataset& dataset,
                                                const datasets::Split& split,
                                                const DatasetSpec& spec);

}  // namespace petlab::engine
