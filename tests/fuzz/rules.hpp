#pragma once

#include "petlab/base/error.hpp"
#include "targets.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

// What must hold in all targets.
namespace petlab::fuzz {

/// Ends the process, which is how a fuzzer sees that a rule was broken.
inline void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken rule: %s\n", rule);
  std::abort();
}

/// Runs a reader, which may refuse its input in one way only. True where it did not.
template <class Reader>
bool expect_value_or_error(const Reader& reader) {
  try {
    reader();
    return true;
  } catch (const base::Error& error) {
    const std::string_view message = error.what();
    require(!message.empty() && message.size() < 1000, "a message is one sentence");
    require(message.find('\n') == std::string_view::npos, "a message is one line");
  }
  return false;
}

inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace petlab::fuzz
