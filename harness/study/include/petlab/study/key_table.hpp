#pragma once

#include <string>

namespace petlab::study {

/// All keys of protocol files but those of searches, as the Markdown table of
/// harness/protocols/README.md: section, key, value, default.
[[nodiscard]] std::string key_table();

}  // namespace petlab::study
