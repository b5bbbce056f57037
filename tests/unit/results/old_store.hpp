#pragma once

#include <filesystem>
#include <string>

namespace petlab::results::sample {

/// The bytes of a file.
std::string text_of(const std::filesystem::path& path);

/// A store as the petlab of schema `version` left it: a study "demo" with a finished run of mmap
/// and a failed one of coop, both on sample::split(1). version_N.sql holds what the petlab of
/// schema N wrote, beyond what older versions have; a version without one wrote nothing new.
void make_old_store(const std::filesystem::path& path, int version);

}  // namespace petlab::results::sample
