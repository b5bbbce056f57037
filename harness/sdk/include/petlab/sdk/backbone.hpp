#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::sdk {

/// A tensor and the name under which it is counted, stored and reported.
struct NamedTensor {
  std::string name;
  at::Tensor value;
};

/// One transformer encoder of CLIP.
struct TowerShape {
  std::int64_t layers = 0;
  std::int64_t width = 0;  ///< hidden size: d_v of the image tower, d_l of the text tower
  std::int64_t heads = 0;
  std::int64_t mlp_width = 0;
};

struct BackboneShape {
  TowerShape vision;
  TowerShape text;
  std::int64_t embed_dim = 0;       ///< width of the shared space of images and texts
  std::int64_t image_size = 0;      ///< pixels a side
  std::int64_t patch_size = 0;      ///< pixels a side
  std::int64_t context_length = 0;  ///< longest text in tokens, start and end included
};

/// What a method may see of the pretrained backbone. Owned by the host; outlives every adapter.
class BackboneView {
 public:
  virtual ~BackboneView() = default;

  [[nodiscard]] virtual const BackboneShape& shape() const = 0;

  /// All weights, under their names in the Hugging Face CLIP layout, e.g.
  /// `text_model.encoder.layers.0.self_attn.q_proj.weight`. They are the frozen originals and must
  /// not be written: the host hashes them before and after a run. Clone to train a copy.
  [[nodiscard]] virtual std::vector<NamedTensor> weights() const = 0;

  /// Features of texts from the frozen text tower: [n_texts, embed_dim], not normalised.
  [[nodiscard]] virtual at::Tensor text_features(const std::vector<std::string>& texts) const = 0;

  /// Token embeddings of a text without start and end token: [n_tokens, text width], a copy.
  [[nodiscard]] virtual at::Tensor token_embeddings(std::string_view text) const = 0;
};

}  // namespace petlab::sdk
