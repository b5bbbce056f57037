#pragma once

#include <cstdlib>
#include <fstream>

namespace petlab::tests {

/// The file that a library with a RunsAtLoad writes when it is loaded: the value of this variable
/// of the environment.
inline constexpr const char* kLoadedFileVariable = "PETLAB_TEST_LOADED_FILE";

/// As a global object: code that runs when the library is loaded, which no plugin should have.
struct RunsAtLoad {
  RunsAtLoad() {
    if (const char* file = std::getenv(kLoadedFileVariable); file != nullptr)
      std::ofstream(file) << "loaded\n";
  }
};

}  // namespace petlab::tests
