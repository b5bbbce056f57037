#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

// What the readers of foreign files are given, and what must hold whatever the bytes are: they end,
// they stay inside of their bytes, and they fail by one base::Error with a one-line message. Run by
// libFuzzer (PETLAB_BUILD_FUZZERS) and, over seeded mutations, by fuzz_tests.
namespace petlab::fuzz {

using Bytes = std::span<const std::uint8_t>;

struct Target {
  const char* name;
  void (*run)(Bytes bytes);
  /// Sound files, to start from.
  std::vector<std::string> (*seeds)();
};

[[nodiscard]] const std::vector<Target>& targets();

}  // namespace petlab::fuzz
