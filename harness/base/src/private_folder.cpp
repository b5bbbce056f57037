#include "petlab/base/private_folder.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace petlab::base {

PrivateFolder::PrivateFolder(const std::string& purpose) {
  std::error_code failed;
  const std::filesystem::path place = std::filesystem::temp_directory_path(failed);
  if (failed)
    throw Error(ErrorKind::config,
                "there is no folder for temporary files (TMPDIR): " + failed.message());
  std::string name = (place / (purpose + "-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    const char* reason = std::strerror(errno);
    throw Error(ErrorKind::config, "cannot make a folder for temporary files in '" +
                                       printable(place) + "' (TMPDIR): " + reason);
  }
  path_ = name;
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace petlab::base
