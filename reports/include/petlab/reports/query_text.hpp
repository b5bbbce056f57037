#pragma once

#include "petlab/results/query.hpp"

#include <iosfwd>

namespace petlab::reports {

enum class QueryFormat { text, csv, json };

/// Writes what a query found.
/// - text: a table for people; NULL is "–", a control character is escaped, bytes are x'..'.
/// - csv: RFC 4180 with a header line; NULL is an empty field, numbers read back as the same
/// double.
/// - json: {"columns": [NAME, ...], "rows": [[VALUE, ...], ...]}; NULL is null, bytes are a text of
///   hex digits, a text that is not UTF-8 has U+FFFD in its place, and a number that is not finite
///   is null, as JSON has none.
void print_query(std::ostream& out, const results::QueryResult& result, QueryFormat format);

}  // namespace petlab::reports
