#pragma once

#include "petlab/results/record.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace petlab::results {

/// Two plans of one study as one.
struct JoinedPlans {
  std::optional<StudyRecord> study;  ///< mine, with what theirs adds; nothing where they differ
  std::string difference;            ///< then: in what, as the end of a sentence
  std::map<std::int64_t, std::int64_t> rows;  ///< row indices of theirs: there -> in `study`
};

/// Plans are parts of one when they differ in their seeds and in which rows they have, and in
/// nothing else: the rest of their protocols (StudyRecord::protocol) says the same, rows of one
/// label too, and a run that both plan is the same run. Rows that are new come behind mine.
/// `places`: settings ("dataset.root") that say where something lies and may differ.
[[nodiscard]] JoinedPlans join_plans(const StudyRecord& mine, const StudyRecord& theirs,
                                     const std::set<std::string>& places);

}  // namespace petlab::results
