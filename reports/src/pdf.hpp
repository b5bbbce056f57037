#pragma once

#include <string>

namespace petlab::reports {

/// The SVG document as a PDF of one page of its size, with text as text. The same document gives
/// the same bytes. Throws Error(internal) with librsvg's reason for a document that it cannot draw.
std::string pdf_of_svg(const std::string& svg);

}  // namespace petlab::reports
