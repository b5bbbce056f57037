#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace petlab::clip {

/// A file of weights that OpenAI has published.
struct PublishedWeights {
  const char* model;
  const char* file;
  const char* sha256;
};

/// Those that petlab's towers compute. The hashes stand in the URLs of openai/CLIP's clip.py.
[[nodiscard]] std::span<const PublishedWeights> published_weights();

/// The published weights with this hash; nullptr when there are none.
[[nodiscard]] const PublishedWeights* find_published(const std::string& sha256);

/// Throws Error(data) with the file's hash and the published one (of the same file name, or all)
/// when the file is none of the published ones.
void require_published(const std::filesystem::path& file, const std::string& sha256);

}  // namespace petlab::clip
