#pragma once

#include "stored_tensor.hpp"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace petlab::clip {

/// The tensors of a safetensors file, in the order of their data. The whole header is checked:
/// length, JSON, names, types, shapes and offsets, before anything of the size of the data is
/// allocated. `where` names the file in messages. Throws Error(data).
[[nodiscard]] std::vector<StoredTensor> parse_safetensors(std::span<const unsigned char> file,
                                                          const std::string& where);

/// The texts of its `__metadata__`; of the rest of the header only the form is looked at.
[[nodiscard]] std::map<std::string, std::string> parse_safetensors_metadata(
    std::span<const unsigned char> file, const std::string& where);

}  // namespace petlab::clip
