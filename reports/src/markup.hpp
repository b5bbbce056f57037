#pragma once

#include <string>

namespace petlab::reports {

/// The text for use in HTML and XML: &, <, >, " and ' are written as entities, control characters
/// that XML forbids are left out.
std::string markup_escaped(const std::string& text);

}  // namespace petlab::reports
