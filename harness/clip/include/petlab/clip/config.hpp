#pragma once

#include "petlab/base/square_fit.hpp"
#include "petlab/sdk/backbone.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

namespace petlab::clip {

enum class Activation { quick_gelu, gelu, gelu_tanh };

/// Which towers a model has.
enum class Family {
  clip,    ///< an image is pooled at a class token, behind a first layer norm; two projections
  siglip,  ///< patches alone, pooled by attention; one projection, of texts, with a bias
};

/// The position of a text that stands for all of it.
enum class TextPooling {
  end,   ///< its end token
  last,  ///< the last of the context, up to which every text is padded
};

/// config.json of a model directory in the Hugging Face CLIP or SigLIP layout.
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
  Family family = Family::clip;
  TextPooling text_pooling = TextPooling::end;
  bool is_text_causal = true;             ///< a token sees those in front of it alone
  bool has_text_projection_bias = false;  ///< OpenCLIP's proj_bias; always of SigLIP
  /// SigLIP's, added to all scores of an image: it changes no softmax and no order of classes, so
  /// nothing is computed with it; kept to write the model again.
  double logit_bias = 0;
  std::int64_t pad_token_id = 0;  ///< fills up texts where is_text_padded()

  /// Whether what stands behind a text's end reaches its features, so that every text is filled up
  /// to the context length: without a causal mask, and where the last position is pooled.
  [[nodiscard]] bool is_text_padded() const {
    return !is_text_causal || text_pooling == TextPooling::last;
  }
};

/// Reads `<model_dir>/config.json`. Throws Error(data) naming the file and the key.
[[nodiscard]] Config read_config(const std::filesystem::path& model_dir);

/// Writes config.json so that transformers' CLIPModel and read_config() read the same model.
void write_config(const Config& config, const std::filesystem::path& model_dir);

/// preprocessor_config.json: how an image becomes the input of the image tower.
struct Preprocessing {
  std::int64_t image_size = 224;  ///< side of the square that `fit` makes
  std::array<double, 3> mean{0.48145466, 0.4578275, 0.40821073};
  std::array<double, 3> std{0.26862954, 0.26130258, 0.27577711};
  base::SquareFit fit = {};
};

[[nodiscard]] Preprocessing read_preprocessing(const std::filesystem::path& model_dir);
void write_preprocessing(const Preprocessing& preprocessing,
                         const std::filesystem::path& model_dir);

/// uint8 [B, 3, H, W] -> fp32 [B, 3, H, W], scaled to [0, 1] and normalised.
[[nodiscard]] at::Tensor normalise_pixels(const at::Tensor& images, const Preprocessing& how);

}  // namespace petlab::clip
