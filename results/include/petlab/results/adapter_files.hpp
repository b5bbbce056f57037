#pragma once

#include "petlab/results/record.hpp"

#include <filesystem>
#include <string>

/// The files with the adapters of finished runs, which lie beside the store. What is in them is the
/// engine's; here they are found, compared with their digests, and carried along.
namespace petlab::results {

/// STORE.adapters/IDENTITY.safetensors (beside_store()).
[[nodiscard]] std::filesystem::path adapter_file(const std::filesystem::path& store,
                                                 const std::string& identity);

/// What is wrong with the file of a run's adapters, by its size alone, as the end of a sentence: ""
/// where nothing is, or where the run keeps none.
[[nodiscard]] std::string adapter_trouble(const std::filesystem::path& store, const RunRecord& run);

/// The file of a run's adapters. Throws Error(data) with one sentence where the run keeps none,
/// where the file is not there, and where it has not the digest that the store has.
[[nodiscard]] std::filesystem::path checked_adapter_file(const std::filesystem::path& store,
                                                         const RunRecord& run);

/// Copies the adapters of a run from one store to another that has its record or will have it:
/// whole or not at all, synced, and only with the digest of the record. False where they are there
/// already, or where the run keeps none. Throws Error(data) like checked_adapter_file().
bool carry_adapters(const std::filesystem::path& from, const std::filesystem::path& into,
                    const RunRecord& run);

}  // namespace petlab::results
