#pragma once

#include "petlab/engine/image_features.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/results/record.hpp"

#include <memory>
#include <string>

// What a run that trains and one that only evaluates do alike.
namespace petlab::engine {

/// The same inputs give the same bits on the CPU; on a GPU that has a price, and is not asked for.
void set_up_torch(const RunSpec& spec);

/// Class texts that are cut at the backbone's context, as a note and in the record.
void note_cut_texts(const RunInputs& inputs, const std::string& text_template,
                    results::RunRecord& record, Progress& progress);

/// Features that runs share, of the pictures of all tasks; null where none are kept.
[[nodiscard]] std::unique_ptr<ImageFeatures> shared_features(const RunSpec& spec,
                                                             const RunInputs& inputs);

/// What the image tower did not compute in this run.
void note_features(const ImageFeatures* features, results::RunRecord& record, Progress& progress);

}  // namespace petlab::engine
