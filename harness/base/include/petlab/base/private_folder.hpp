#pragma once

#include <filesystem>
#include <string>

namespace petlab::base {

/// A new, empty folder that only this user can look into and whose name nobody can foresee, in the
/// system's folder for temporary files. Removed with all that is in it when the object dies.
class PrivateFolder {
 public:
  /// `purpose` is the beginning of the folder's name: "petlab-verify". Throws Error(config) naming
  /// the place when it cannot be made.
  explicit PrivateFolder(const std::string& purpose);
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace petlab::base
