#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace petlab::base {

/// The whole file. Throws Error(data) naming it when it cannot be read, is no regular file, or is
/// longer than `max_bytes`.
[[nodiscard]] std::vector<std::uint8_t> read_file(
    const std::filesystem::path& file,
    std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max());
[[nodiscard]] std::string read_text_file(
    const std::filesystem::path& file,
    std::uint64_t max_bytes = std::numeric_limits<std::uint64_t>::max());

}  // namespace petlab::base
