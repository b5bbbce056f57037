#pragma once

#include "petlab/sdk/backbone.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace petlab::clip {

/// Reads a safetensors file. Tensors keep their stored type (F64 F32 F16 BF16 I64 I32 U8 BOOL) and
/// own their memory. The file is treated as hostile: header length, offsets, overlaps, types and
/// shapes are checked before anything is allocated. Throws Error(data) naming the file and tensor.
[[nodiscard]] std::vector<sdk::NamedTensor> read_safetensors(const std::filesystem::path& file);

/// The texts of a safetensors file's `__metadata__`; empty without it. As careful as above.
[[nodiscard]] std::map<std::string, std::string> read_safetensors_metadata(
    const std::filesystem::path& file);

/// Writes tensors (CPU, any strides) in the given order, atomically: temporary file, sync, rename.
void write_safetensors(const std::vector<sdk::NamedTensor>& tensors,
                       const std::filesystem::path& file,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace petlab::clip
