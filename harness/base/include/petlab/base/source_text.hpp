#pragma once

#include <string>
#include <string_view>

namespace petlab::base {

/// What a compiler sees of a C++ source: its tokens without comments and white space, each with its
/// length before it, so that two sources have the same canonical text only where they have the same
/// tokens. The ends of preprocessor lines count, and whether a macro's name is followed at once by
/// its parameters. White space inside the arguments of a macro that makes text of them (#x) does
/// not. Takes any bytes: what is no C++ is taken character by character.
[[nodiscard]] std::string canonical_source(std::string_view source);

}  // namespace petlab::base
