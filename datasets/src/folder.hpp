#pragma once

#include "assemble.hpp"
#include "file_kind.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// Class folders as entries; what the loaders of folder trees share.
namespace petlab::datasets {

/// "train", "val" (also valid, validation, crossval), "test" as parts.
[[nodiscard]] std::optional<Part> part_of_folder(const std::filesystem::path& folder);

/// Whether `folders` is not empty and each is named like a part.
[[nodiscard]] bool are_parts(const std::vector<std::filesystem::path>& folders);

/// Pictures, and what stood beside them.
struct FoundEntries {
  std::vector<Entry> entries;
  PassedOver passed;
};

/// Adds the pictures of all class folders of `folder`. Throws base::Error(data) for an empty class
/// and a class that holds folders of pictures.
void add_classes(const std::filesystem::path& folder, const std::string& domain, Part part,
                 FoundEntries& found);

/// add_classes for `folder/class`, or for `folder/part/class`.
void add_domain(const std::filesystem::path& folder, const std::string& domain,
                FoundEntries& found);

/// The folder that holds a domain's classes: `domain`, or the folder `images` in it where it holds
/// no other (Office-31).
[[nodiscard]] std::filesystem::path below_images(const std::filesystem::path& domain);

/// The last name of a folder, also of "." and "..".
[[nodiscard]] std::string name_of(const std::filesystem::path& root);

/// Throws base::Error(data) when `root` is not there or no folder; `expected` says what should be.
void check_root(const std::filesystem::path& root, const std::string& expected);

}  // namespace petlab::datasets
