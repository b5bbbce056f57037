#pragma once

#include "test_support.hpp"

#include <cstdlib>

namespace petlab::datasets {

/// The pictures that pillow_reference.py writes, in a folder of the test's own.
class Pillow : public TemporaryFolder {
 protected:
  void SetUp() override {
    TemporaryFolder::SetUp();
    const char* chosen = std::getenv("PETLAB_PYTHON");
    const std::string python =
        chosen != nullptr ? chosen : std::string(PETLAB_SOURCE_DIR) + "/.venv/bin/python";
    const std::string command = "'" + python + "' '" + PETLAB_SOURCE_DIR +
                                "/tests/unit/datasets/pillow_reference.py' '" + root().string() +
                                "'";
    ASSERT_EQ(std::system(command.c_str()), 0)
        << "the reference needs a Python with Pillow and numpy: `make setup`, or PETLAB_PYTHON";
  }
};

}  // namespace petlab::datasets
