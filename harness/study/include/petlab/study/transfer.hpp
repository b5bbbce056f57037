#pragma once

#include "petlab/engine/run_spec.hpp"

#include <string>
#include <vector>

namespace petlab::study {

/// A data set that the adapters of finished runs are tested on: cross-data-set transfer.
struct TransferTarget {
  std::string name;             ///< of its file, without .ini
  engine::DatasetSpec dataset;  ///< its test images are those of its own split, by the run's seed
};

/// The data sets that `transfer` names, in its order. Of each file the section [dataset] counts,
/// and others are passed over, so that settings and studies serve as they are. Throws
/// Error(config) that names the file for one that cannot be read, has no data set, has the name of
/// another one, or asks for tests that a target has not: on a part of the classes, on validation
/// images, on further data sets. No image is looked at.
[[nodiscard]] std::vector<TransferTarget> transfer_targets(const engine::DatasetSpec& dataset);

/// Whether the target is the study's own data set, at another split perhaps: same name, folder and
/// lists, by whatever path.
[[nodiscard]] bool is_own_data_set(const engine::DatasetSpec& dataset,
                                   const TransferTarget& target);

}  // namespace petlab::study
