#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::datasets::tools {

/// Renders an SVG document into a `size` x `size` picture on white: 8-bit RGB, rows from the top,
/// [size, size, 3] without padding. Safe to call from several threads at once. Throws
/// base::Error(data) when librsvg refuses the document.
[[nodiscard]] std::vector<std::uint8_t> render_svg(const std::string& svg, int size);

}  // namespace petlab::datasets::tools
