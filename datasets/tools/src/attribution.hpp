#pragma once

#include "petlab/datasets/tools/iconify.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace petlab::datasets::tools {

/// An icon set and how many of its drawings are used.
struct SetCredit {
  IconSetInfo info;
  std::size_t pictures = 0;
};

/// Markdown: one line a set with author, licence and number of pictures, and what the licences ask.
[[nodiscard]] std::string attribution_text(const std::vector<SetCredit>& credits);

}  // namespace petlab::datasets::tools
