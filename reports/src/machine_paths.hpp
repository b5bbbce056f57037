#pragma once

#include <string>
#include <string_view>

namespace petlab::reports {

/// The text without what only its machine knows: of an absolute path with two parts or more the
/// last stays, behind "…/". For what people publish; the store keeps the whole.
std::string without_machine_paths(std::string_view text);

}  // namespace petlab::reports
