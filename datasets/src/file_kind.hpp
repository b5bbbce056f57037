#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

// What a file of a data set is, and what becomes of those that petlab does not read.
namespace petlab::datasets {

enum class FileKind : std::uint8_t {
  picture,  ///< its name says that it is a picture that petlab reads, or it has no ending and is
            ///< one
  foreign,  ///< a picture in a format, or with an ending, that petlab does not take
  other,    ///< no picture
};

/// By the name alone where its ending is that of a picture, else by the first bytes.
[[nodiscard]] FileKind file_kind(const std::filesystem::path& file);

/// Whether the name alone says that a file is a picture, of whatever format.
[[nodiscard]] bool has_picture_ending(const std::filesystem::path& file);

/// Files that a loader has passed over.
struct PassedOver {
  bool leave_out_foreign = false;              ///< as asked for
  std::vector<std::filesystem::path> foreign;  ///< pictures in class folders, of kind foreign
  std::vector<std::filesystem::path> outside;  ///< pictures beside class folders
  std::vector<std::filesystem::path> others;   ///< files in class folders that are no pictures
};

/// What is said of them, a sentence each. Throws base::Error(data) that counts and names the
/// foreign pictures, unless they are to be left out: a smaller data set is another data set.
[[nodiscard]] std::vector<std::string> settle(const PassedOver& passed,
                                              const std::filesystem::path& root);

}  // namespace petlab::datasets
