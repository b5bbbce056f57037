#pragma once

#include <cstdint>
#include <filesystem>

namespace petlab::results {

/// True for the numbers (statfs: f_type) of file systems that several hosts can mount at once.
bool is_network_file_system(std::uint32_t type);

/// True when the file lies, or would lie, on such a file system.
bool is_on_network(const std::filesystem::path& file);

}  // namespace petlab::results
