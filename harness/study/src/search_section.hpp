#pragma once

#include "petlab/study/protocol.hpp"

#include <string>

namespace petlab::study {

/// Takes a key of [search] (method == "") or of [search.METHOD]. Throws Error(config).
void take_search_key(SearchSpec& search, const std::string& method, const std::string& key,
                     const Setting& setting);

/// What needs more than one key: spaces there, trials said where the strategy needs them, a
/// protocol that does not hold out images itself.
void check_search(const SearchSpec& search, const Protocol& protocol);

}  // namespace petlab::study
