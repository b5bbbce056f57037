#pragma once

#include "petlab/base/error.hpp"
#include "petlab/datasets/image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::datasets {

/// A folder of its own for each test, removed at its end.
class TemporaryFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::temp_directory_path() /
            ("petlab_" + std::string(info->test_suite_name()) + "_" + info->name() + "_" +
             std::to_string(::getpid()));
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

  std::filesystem::path write(const std::filesystem::path& name,
                              std::span<const std::uint8_t> bytes) const {
    const auto file = root_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return file;
  }
  std::filesystem::path write(const std::filesystem::path& name, std::string_view text) const {
    return write(name, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }

 private:
  std::filesystem::path root_;
};

/// A picture without symmetry, another one for each seed.
inline Image pattern(int width, int height, unsigned seed) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto ux = static_cast<unsigned>(x);
      const auto uy = static_cast<unsigned>(y);
      image.rgb.push_back(static_cast<std::uint8_t>(ux * 7 + uy * 3 + seed * 31));
      image.rgb.push_back(static_cast<std::uint8_t>((ux / 3) * 40 + seed * 17));
      image.rgb.push_back(static_cast<std::uint8_t>((uy / 2) * 29 + ux * seed));
    }
  }
  return image;
}

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The sentence of the base::Error that `work` throws; fails the test when it throws none.
inline std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& e) {
    return e.what();
  }
  ADD_FAILURE() << "expected an base::Error";
  return {};
}

}  // namespace petlab::datasets
