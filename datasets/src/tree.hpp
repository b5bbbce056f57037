#pragma once

#include <filesystem>
#include <string>
#include <vector>

// Looking at folders that somebody else has made.
namespace petlab::datasets {

/// What a folder holds, each sorted by the bytes of its name. Hidden entries and what operating
/// systems and archivers leave behind (__MACOSX, Thumbs.db, desktop.ini ...) are not in it.
struct Listing {
  std::vector<std::filesystem::path> folders;  ///< also links to folders
  std::vector<std::filesystem::path> files;    ///< all else, also links that lead nowhere
};

/// Throws base::Error(data) for a folder that cannot be read and for a link that leads back to
/// itself or to a folder that it is in.
[[nodiscard]] Listing list_folder(const std::filesystem::path& folder);

/// How many levels of folders lie between `folder` and the pictures nearest to it: 0 when it holds
/// some itself. -1 when there is none within `limit` levels.
[[nodiscard]] int picture_depth(const std::filesystem::path& folder, int limit = 4);

/// "a", "a, b, c", "a, b, c ... (9 in all)": names of paths, for messages.
[[nodiscard]] std::string names_of(const std::vector<std::filesystem::path>& paths);

}  // namespace petlab::datasets
