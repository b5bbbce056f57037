#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::datasets {

/// A line of a text file, without blanks at its ends.
struct TextLine {
  std::string text;
  std::size_t number = 0;  ///< counts from 1
};

/// The lines of a text file that are not blank. Throws base::Error(data) naming the file for one
/// that cannot be read, holds none, is a pointer of Git LFS or is UTF-16.
[[nodiscard]] std::vector<TextLine> read_lines(const std::filesystem::path& file);

}  // namespace petlab::datasets
