#pragma once

#include "petlab/clip/config.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace petlab::clip {

/// What the files of a model are, read without their weights.
struct CheckpointInfo {
  std::string format;                         ///< "Hugging Face safetensors" ...
  std::vector<std::filesystem::path> files;   ///< of the weights
  std::uint64_t bytes = 0;                    ///< of these files together
  std::map<std::string, std::int64_t> types;  ///< stored numbers by type, e.g. "F16" -> 149620737
  std::string sha256;                         ///< of an archive's file; else empty
  std::string published_as;                   ///< "ViT-B/16" where the hash is OpenAI's; else empty
  std::string stripped;                       ///< in front of all names, e.g. "module."; else empty
  std::string family;                         ///< "OpenCLIP ViT-B/16, text pooling argmax"
  std::string settings_source;
  std::string preprocessing_source;
};

/// Throws Error(data) like Backbone::load(), except that the weights themselves are not compared
/// with the configuration.
[[nodiscard]] CheckpointInfo inspect_checkpoint(const std::filesystem::path& model);

/// How a model's images are made, whatever its layout.
[[nodiscard]] Preprocessing model_preprocessing(const std::filesystem::path& model);

/// SHA-256 over what decides a model's results besides its weights: configuration, preprocessing
/// and vocabulary as they are understood. Equal for the same model in another layout.
[[nodiscard]] std::string model_settings_hash(const std::filesystem::path& model);

}  // namespace petlab::clip
