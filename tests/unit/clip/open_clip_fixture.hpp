#pragma once

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>

namespace petlab::clip::test {

using Tensors = std::map<std::string, at::Tensor>;

/// The weights of small_backbone() by OpenCLIP's names.
[[nodiscard]] Tensors open_clip_weights();

/// What open_clip_config.json says of it.
[[nodiscard]] nlohmann::json open_clip_settings();

/// Writes a safetensors file, each name behind `prefix`.
void write_tensors(const Tensors& tensors, const std::filesystem::path& file,
                   const std::string& prefix = "");

}  // namespace petlab::clip::test
