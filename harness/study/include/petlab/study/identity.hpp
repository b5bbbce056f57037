#pragma once

#include "petlab/engine/run_spec.hpp"
#include "petlab/results/record.hpp"

#include <string>

namespace petlab::study {

/// What a run works on and is made of, as hashes: everything that decides its result besides its
/// RunSpec.
struct RunFacts {
  std::string dataset_fingerprint;
  std::string split_hash;
  std::string backbone_weights;   ///< clip::Backbone::weight_hash()
  std::string backbone_settings;  ///< of config, vocabulary, merges and preprocessing
  std::string method_sources;     ///< source hash of the method's plugin
  std::string grouping_sources;   ///< of the grouping's plugin; "" where the sharing has no groups
  std::string host_sources;       ///< host_source_hash()
  std::string torch_version;      ///< of the LibTorch that runs
  std::string class_names = {};   ///< hash of the names that a file gives classes; else ""
};

/// The identity of a run: SHA-256 over the canonical form of the spec and the facts. Study name,
/// row label, paths, threads and hardware are not part of it.
[[nodiscard]] results::RunIdentity run_identity(const engine::RunSpec& spec, const RunFacts& facts);

/// SHA-256 over the sources that compute results (base, sdk, kernels, clip, datasets, engine),
/// embedded at build. Rebuilding unchanged sources gives the same value.
[[nodiscard]] std::string host_source_hash();

/// "clean", "dirty" or "unknown": whether the sources of this build are those of a commit.
[[nodiscard]] std::string host_source_state();

/// Version of this program, e.g. "0.1.0".
[[nodiscard]] std::string program_version();

}  // namespace petlab::study
