#pragma once

#include "petlab/study/protocol.hpp"

#include <string>

namespace petlab::study {

/// Takes a key of [search] (method == "") or of [search.METHOD]. Throws Error(config).
void take_search_key(SearchSpec& search, const std::string& method, const std::string& key,
                     const Setting& setting);

/// What needs more than one key: spaces there, trials said where the strategy needs them, a
/// protocol that does not hold out pictures itself.
void check_search(const SearchSpec& search, const Protocol& protocol);

/// Puts a value at a key of a row: a setting of row scope, or option.NAME. Throws Error(config) for
/// a value of the wrong kind.
void set_row_value(Row& row, const std::string& key, const Setting& setting);

}  // namespace petlab::study
