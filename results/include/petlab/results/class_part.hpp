#pragma once

namespace petlab::results::environment {

/// RunRecord::environment of runs on a part of the classes of a data set: the fingerprint of all of
/// it, which the parts have in common.
inline constexpr const char* kAllClasses = "dataset_all_classes";

}  // namespace petlab::results::environment
