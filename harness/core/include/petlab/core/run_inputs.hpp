#pragma once

#include "petlab/core/progress.hpp"
#include "petlab/core/run.hpp"
#include "petlab/core/run_spec.hpp"
#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/split.hpp"
#include "petlab/results/record.hpp"

namespace petlab::core {

/// The pictures of a study: `dataset` with the fingerprint of what is on disk.
[[nodiscard]] datasets::Dataset open_study_dataset(const DatasetSpec& spec);

/// The split of a run by the dataset's choice and the run's seed. With validation: its training
/// pictures, parted again, or the lists' validation pictures as test; no test picture is in it.
[[nodiscard]] datasets::Split study_split(const datasets::Dataset& dataset, const DatasetSpec& spec,
                                          std::uint64_t seed);

/// The split as the store keeps it. Labels of a task count the classes that its domain has.
[[nodiscard]] results::SplitRecord split_record(const datasets::Dataset& dataset,
                                                const datasets::Split& split,
                                                const DatasetSpec& spec);

/// Builds the image cache of a study where it is not there yet, with all cores, so that the runs
/// only open it. Throws Error(data) naming a picture that cannot be decoded.
void prepare_images(const DatasetSpec& spec, const std::filesystem::path& backbone,
                    const std::filesystem::path& cache_dir, Progress& progress);

/// Puts what a run works on into `inputs.tasks`, `test` and `split_hash`: images through the image
/// cache at the backbone's size, train and test apart.
void add_tasks(RunInputs& inputs, const datasets::Dataset& dataset, const datasets::Split& split,
               const RunSpec& spec, Progress& progress);

}  // namespace petlab::core
