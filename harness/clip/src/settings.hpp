#pragma once

#include "json_file.hpp"
#include "petlab/clip/config.hpp"
#include "petlab/clip/tokenizer.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace petlab::clip {

/// No size of a configuration is larger: beyond every published CLIP, and it keeps products of
/// sizes far from overflow.
inline constexpr std::int64_t kMaxSize = 1 << 20;

/// A size of a configuration, with a value for a missing key. Throws Error(data).
[[nodiscard]] std::int64_t size_or(const JsonObject& json, const char* key, std::int64_t missing);

/// The same of what is square: a number or a list of equal height and width.
[[nodiscard]] std::int64_t square_size_or(const JsonObject& json, const char* key,
                                          std::int64_t missing);

/// What the files of a model say besides its weights and its vocabulary.
struct Settings {
  Config config;
  Preprocessing preprocessing;
};

/// config.json in the Hugging Face layout, with transformers' defaults for what it leaves out.
[[nodiscard]] Config config_of(const JsonObject& json);

/// preprocessor_config.json, or the image processor's part of processor_config.json, with the
/// defaults of transformers' CLIPImageProcessor.
[[nodiscard]] Preprocessing preprocessing_of(const JsonObject& json);

/// The vocabulary of a model's folder, of the kind that its family has. A SigLIP's marks of end and
/// padding, which its published configurations do not know, are put into `config`.
[[nodiscard]] Tokenizer load_tokenizer(Config& config, const std::filesystem::path& folder);

/// What model_settings_hash() is of what was read.
[[nodiscard]] std::string settings_hash(const Settings& settings, const Tokenizer& tokenizer);

/// open_clip_config.json, with OpenCLIP's defaults. What petlab's towers do not compute (other
/// towers, other poolings ...) is refused by its key.
[[nodiscard]] Settings open_clip_settings_of(const JsonObject& json);

}  // namespace petlab::clip
