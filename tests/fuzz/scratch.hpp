#pragma once

#include "petlab/base/private_folder.hpp"
#include "targets.hpp"

#include <filesystem>
#include <fstream>

namespace petlab::fuzz {

/// Files for readers that take a path; removed in the end.
class Scratch {
 public:
  /// Writes the bytes as `name` in a folder of this process.
  std::filesystem::path write(const std::string& name, Bytes bytes) {
    std::filesystem::path file = folder_.path() / name;
    std::ofstream(file, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return file;
  }

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  base::PrivateFolder folder_{"petlab-fuzz"};
};

/// The one of this process.
inline Scratch& scratch() {
  static Scratch one;
  return one;
}

}  // namespace petlab::fuzz
