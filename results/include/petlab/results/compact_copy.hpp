#pragma once

#include <filesystem>

namespace petlab::results {

/// Writes all that the store holds into a new file `copy`, which is a store too and needs no second
/// file beside it to be read: it can be published by a rename. Not synced. Throws Error(store) when
/// `copy` is there already or cannot be written.
void write_compact_copy(const std::filesystem::path& store, const std::filesystem::path& copy);

}  // namespace petlab::results
