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
  /// True where the bytes were read, false where they were refused.
  bool (*run)(Bytes bytes);
  /// Sound files, to start from.
  std::vector<std::string> (*seeds)();
  int mutations = 3000;  ///< of each sound file, in fuzz_tests
};

/// Readers of CLIP's files (targets.cpp), those that need no LibTorch (data_targets.cpp), and those
/// of the files of a run, which need all of it (run_targets.cpp).
[[nodiscard]] const std::vector<Target>& targets();
[[nodiscard]] const std::vector<Target>& data_targets();
[[nodiscard]] const std::vector<Target>& run_targets();

}  // namespace petlab::fuzz
