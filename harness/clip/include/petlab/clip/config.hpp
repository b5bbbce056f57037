#pragma once

#include "petlab/sdk/backbone.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

namespace petlab::clip {

enum class Activation { quick_gelu, gelu };

/// config.json of a model directory in the Hugging Face CLIP layout.
struct Config {
  sdk::BackboneShape shape;
  std::int64_t vocab_size = 0;
  Activation vision_activation = Activation::quick_gelu;
  Activation text_activation = Activation::quick_gelu;
  double vision_layer_norm_eps = 1e-5;
  double text_layer_norm_eps = 1e-5;
  /// Pooled position of a text: the first token equal to this id. OpenAI's configs say 2, a value
  /// that stands for "the highest token id of the text" (transformers keeps the same exception).
  std::int64_t eos_token_id = 49407;
  std::int64_t bos_token_id = 49406;
  double initial_logit_scale = 2.6592;
};

/// Reads `<model_dir>/config.json`. Throws Error(data) naming the file and the key.
[[nodiscard]] Config read_config(const std::filesystem::path& model_dir);

/// Writes config.json so that transformers' CLIPModel and read_config() read the same model.
void write_config(const Config& config, const std::filesystem::path& model_dir);

/// preprocessor_config.json: how an image becomes the input of the image tower.
struct Preprocessing {
  std::int64_t image_size = 224;  ///< shorter side after resizing, and side of the centre crop
  std::array<double, 3> mean{0.48145466, 0.4578275, 0.40821073};
  std::array<double, 3> std{0.26862954, 0.26130258, 0.27577711};
};

[[nodiscard]] Preprocessing read_preprocessing(const std::filesystem::path& model_dir);
void write_preprocessing(const Preprocessing& preprocessing,
                         const std::filesystem::path& model_dir);

/// uint8 [B, 3, H, W] -> fp32 [B, 3, H, W], scaled to [0, 1] and normalised.
[[nodiscard]] at::Tensor normalise_pixels(const at::Tensor& images, const Preprocessing& how);

}  // namespace petlab::clip
