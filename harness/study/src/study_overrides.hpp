#pragma once

#include "petlab/study/protocol.hpp"

#include <string>
#include <vector>

// What options and environment make of the study that its files describe.
namespace petlab::study {

/// Labels of rows whose method an override says: rows that a study may get so.
[[nodiscard]] std::vector<std::string> added_rows(const std::vector<Setting>& overrides);

/// `overrides` with what follows from them: fewer epochs than the warm-up that the files say leave
/// it one epoch less, unless an override says the warm-up too.
[[nodiscard]] std::vector<Setting> with_consequences(const std::vector<Setting>& of_files,
                                                     const std::vector<Setting>& overrides);

/// The settings of the files without those that have no meaning under the overrides: train-shots
/// where an override chooses a split that is not by shots.
[[nodiscard]] std::vector<Setting> without_contradicted(std::vector<Setting> of_files,
                                                        const std::vector<Setting>& overrides);

/// What the overrides make of the study, for its name: "epochs=2" for each key whose value is
/// another than that of the files, sorted. Keys that say what the study
/// is called, or where this machine keeps data set and backbone, make no variant; of other paths
/// the last component is said.
[[nodiscard]] std::vector<std::string> variant_settings(const std::vector<Setting>& of_files,
                                                        const std::vector<Setting>& overrides);

}  // namespace petlab::study
