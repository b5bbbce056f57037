#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace petlab::reports {

/// What the resolved protocol says of a key in a section; nothing where it is not said.
std::optional<std::string> protocol_setting(const std::string& protocol, std::string_view section,
                                            std::string_view key);

}  // namespace petlab::reports
