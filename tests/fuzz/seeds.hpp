#pragma once

#include <string>
#include <vector>

namespace petlab::fuzz {

// Small sound files of each kind, made here.
[[nodiscard]] std::vector<std::string> safetensors_seeds();
[[nodiscard]] std::vector<std::string> config_seeds();
[[nodiscard]] std::vector<std::string> tokenizer_seeds();
[[nodiscard]] std::vector<std::string> archive_seeds();
[[nodiscard]] std::vector<std::string> pickle_seeds();

}  // namespace petlab::fuzz
