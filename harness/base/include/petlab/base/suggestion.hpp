#pragma once

#include <span>
#include <string>
#include <string_view>

namespace petlab::base {

/// The known name that is close to `wrong` (edit distance with swaps, at most a third of the
/// length); nullptr where none is.
[[nodiscard]] const std::string* closest(std::string_view wrong,
                                         std::span<const std::string> known);

/// What to add to "unknown X": "; did you mean 'coop'?" when a known name is close, else "; known:
/// a, b, c", else "".
[[nodiscard]] std::string did_you_mean(std::string_view wrong, std::span<const std::string> known);

}  // namespace petlab::base
