#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::datasets {

/// A path for a message of one line: control characters and bytes that are no UTF-8 become \xNN.
[[nodiscard]] std::string printable(const std::filesystem::path& path);

/// The whole file. Throws base::Error(data) naming it when it cannot be read, is no regular file,
/// or is longer than `max_bytes`.
[[nodiscard]] std::vector<std::uint8_t> read_file(
    const std::filesystem::path& file,
    std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max());

/// Whether a file must also be whole after a loss of power; costs a wait for the disk.
enum class Durability { process, power_loss };

/// Writes beside `file` and renames, so that `file` is whole or absent whenever the process ends.
/// Creates parent folders. Throws base::Error(data) naming the file.
void write_file(const std::filesystem::path& file, std::span<const std::uint8_t> bytes,
                Durability durability = Durability::power_loss);
void write_file(const std::filesystem::path& file, std::string_view text);

}  // namespace petlab::datasets
