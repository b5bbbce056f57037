#pragma once

#include "petlab/results/record.hpp"

#include <string>

namespace petlab::results {

/// Sorts the parts by name and hashes them. The canonical form puts the length before each name and
/// value, so no two lists of parts share one; the order in which parts are given does not matter.
/// Throws Error(config) when a name is empty or occurs twice.
RunIdentity make_identity(NamedValues parts);

/// The present time as "2026-01-31T12:00:00Z".
std::string utc_now();

}  // namespace petlab::results
