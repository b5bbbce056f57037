#pragma once

#include "train_size_table.hpp"

#include <vector>

namespace petlab::reports {

/// Accuracy by training size over studies that have one size each and differ in nothing else: data
/// set, backbone, training and rows are the same; the settings of a row may have been chosen for
/// each size. One for each such family with finished runs at two sizes or more, in the order of its
/// first study; of two studies of one size the first counts.
std::vector<TrainSizes> train_sizes_over(const std::vector<Report>& studies);

}  // namespace petlab::reports
