#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/pretrain/options.hpp"
#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <filesystem>
#include <memory>
#include <vector>

namespace petlab::pretrain {

/// The CLIP in training: its weights as fp32 leaves with gradients, the table of subjects, and the
/// towers of petlab::clip to run them through.
class Model {
 public:
  /// `tokenizer_dir` holds the vocabulary; `n_rows` is the length of the table.
  Model(const PretrainOptions& options, const std::filesystem::path& tokenizer_dir,
        std::int64_t n_rows, c10::Device device, at::Generator& generator);

  /// Everything that is trained: the backbone's weights under their names, then "table" [rows,
  /// embed_dim] and "table_scale", the logarithm of a scale.
  [[nodiscard]] const std::vector<sdk::NamedTensor>& parameters() const { return parameters_; }

  /// The weights in `type`, as the towers take them; gradients flow back to `parameters`, which has
  /// the names and order of parameters().
  [[nodiscard]] static clip::WeightOverrides in_type(
      const std::vector<sdk::NamedTensor>& parameters, c10::ScalarType type);

  /// Planes in [0, 1] -> fp32 [B, embed_dim], not normalised.
  [[nodiscard]] at::Tensor encode_image(const at::Tensor& planes,
                                        const clip::WeightOverrides& weights,
                                        c10::ScalarType type) const;
  /// Texts -> fp32 [N, embed_dim], not normalised.
  [[nodiscard]] at::Tensor encode_text(const std::vector<std::string>& texts,
                                       const clip::WeightOverrides& weights) const;

  [[nodiscard]] const at::Tensor& table() const;
  [[nodiscard]] const at::Tensor& table_scale() const;
  [[nodiscard]] const at::Tensor& logit_scale() const;

  [[nodiscard]] const clip::Backbone& backbone() const { return *backbone_; }

  /// Writes the model directory in half precision, with the given values for the weights.
  void save(const std::filesystem::path& dir, const std::filesystem::path& tokenizer_dir,
            const std::vector<sdk::NamedTensor>& values) const;

 private:
  std::shared_ptr<clip::Backbone> backbone_;
  std::vector<sdk::NamedTensor> parameters_;
};

/// The configuration that the options ask for. Throws sdk::Error(config) when sizes do not divide.
[[nodiscard]] clip::Config config_of(const PretrainOptions& options,
                                     const clip::Tokenizer& tokenizer);

}  // namespace petlab::pretrain
