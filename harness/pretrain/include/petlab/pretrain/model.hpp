#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/pretrain/options.hpp"
#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::pretrain {

/// What of its pictures a step shows to the image tower.
struct View {
  EarlyView kind = EarlyView::whole;
  at::Tensor patches = {};  ///< int64 [grid * grid] numbers of the patches that are shown, sorted
};

/// The view at the place `progress` in [0, 1] of the schedule; the patches are drawn.
[[nodiscard]] View draw_view(const PretrainOptions& options, double progress,
                             at::Generator& generator);

/// The CLIP in training: its weights as fp32 leaves with gradients, the heads that only training
/// needs, and the towers of petlab::clip to run them through.
class Model {
 public:
  /// `tokenizer_dir` holds the vocabulary; `n_rows` is the length of the table.
  Model(const PretrainOptions& options, const std::filesystem::path& tokenizer_dir,
        std::int64_t n_rows, c10::Device device, at::Generator& generator);

  /// Everything that is trained: the backbone's weights under their names, then the heads:
  /// "head.table" [rows, embed_dim] and "head.table_scale", the logarithm of a scale;
  /// "head.contrast_bias" of the sigmoid loss; "head.facts" [facts, embed_dim] and
  /// "head.fact_bias" [facts].
  [[nodiscard]] const std::vector<sdk::NamedTensor>& parameters() const { return parameters_; }

  /// The weights in `type`, as the towers take them; gradients flow back to `parameters`, which has
  /// the names and order of parameters().
  [[nodiscard]] static clip::WeightOverrides in_type(
      const std::vector<sdk::NamedTensor>& parameters, c10::ScalarType type);

  /// Planes in [0, 1] -> fp32 [B, embed_dim], not normalised. Smaller pictures meet the position
  /// embedding interpolated to their grid (as ViT does it for larger ones); chosen patches keep
  /// their own (as in FLIP, Li et al., 2023, but the same patches for the whole batch).
  [[nodiscard]] at::Tensor encode_image(const at::Tensor& planes,
                                        const clip::WeightOverrides& weights, c10::ScalarType type,
                                        const View& view = {}) const;
  /// Texts -> fp32 [N, embed_dim], not normalised.
  [[nodiscard]] at::Tensor encode_text(const std::vector<std::string>& texts,
                                       const clip::WeightOverrides& weights) const;

  /// A parameter by its name. Throws base::Error(internal) when there is none.
  [[nodiscard]] const at::Tensor& parameter(std::string_view name) const;

  [[nodiscard]] const clip::Backbone& backbone() const { return *backbone_; }

  /// Writes the model directory in half precision, with the given values for the weights.
  void save(const std::filesystem::path& dir, const std::filesystem::path& tokenizer_dir,
            const std::vector<sdk::NamedTensor>& values) const;

 private:
  std::shared_ptr<clip::Backbone> backbone_;
  std::shared_ptr<clip::Backbone>
      small_;  ///< the same towers for `early_grid`; its weights are not used
  std::vector<sdk::NamedTensor> parameters_;
};

/// Numbers of rows of "head.facts".
inline constexpr std::int64_t kFactRows = 27;

/// The configuration that the options ask for. Throws base::Error(config) when sizes do not divide.
[[nodiscard]] clip::Config config_of(const PretrainOptions& options,
                                     const clip::Tokenizer& tokenizer);

}  // namespace petlab::pretrain
