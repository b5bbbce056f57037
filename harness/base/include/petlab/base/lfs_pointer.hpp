#pragma once

#include <string>
#include <string_view>

namespace petlab::base {

/// Whether a file holds what Git LFS leaves in the place of one that it has not fetched.
[[nodiscard]] constexpr bool is_lfs_pointer(std::string_view bytes) {
  return bytes.starts_with("version https://git-lfs.github.com/spec/");
}

/// The end of a sentence that begins with such a file's name.
inline constexpr const char* kLfsPointer =
    " is a pointer of Git LFS, not the file itself: `git lfs pull` in its repository fetches it";

}  // namespace petlab::base
