#pragma once

#include <span>
#include <string>
#include <string_view>

namespace petlab::base {

/// What to add to "unknown X": "; did you mean 'coop'?" when a known name is close (edit distance
/// with swaps, at most a third of the length), else "; known: a, b, c", else "".
[[nodiscard]] std::string did_you_mean(std::string_view wrong, std::span<const std::string> known);

}  // namespace petlab::base
