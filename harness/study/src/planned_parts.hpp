#pragma once

#include "petlab/engine/run_spec.hpp"
#include "petlab/results/record.hpp"
#include "petlab/study/plan.hpp"

#include <string>

namespace petlab::engine {
struct FeatureStorePlace;
}  // namespace petlab::engine

namespace petlab::study {

/// A part of a run's identity. Throws Error(internal) where it has none of this name.
[[nodiscard]] const std::string& identity_part(const results::RunIdentity& identity,
                                               const std::string& name);

/// The plan measured the files before; what is computed must be what it names. Throws Error(data).
void check_unchanged(const std::string& what, const std::string& found, const std::string& planned);

/// Equal for data sets that are read alike: the same pictures, with the same names of classes.
[[nodiscard]] std::string pictures_key(const engine::DatasetSpec& spec);

/// What the host knows of the runs on a split before they begin: its sources and version, notes on
/// the data, names of classes.
[[nodiscard]] results::NamedValues planned_environment(const StudyFacts& facts,
                                                       const SplitOf& split);

/// Where the features are that runs of the same pictures, backbone and program share.
[[nodiscard]] engine::FeatureStorePlace feature_place(const Job& job);

}  // namespace petlab::study
