#pragma once

#include "petlab/datasets/dataset.hpp"

#include <string>

namespace petlab::datasets {

/// What identifies the pictures with the classes of the tasks: the fingerprint, or of a part of the
/// classes (take_classes) a hash of it and the part. Where the fingerprint is empty it means
/// nothing.
[[nodiscard]] std::string dataset_hash(const Dataset& dataset);

/// What the classes of a data set are sorted by, for sentences: "name", or "label" where the data
/// set numbers them otherwise.
[[nodiscard]] std::string class_order(const Dataset& dataset);

}  // namespace petlab::datasets
