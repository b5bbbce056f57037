#pragma once

#include "model_files.hpp"

#include <string>

namespace petlab::clip {

/// Which stored tensor a weight of the towers comes from.
struct WeightSource {
  std::string name;
  int third = -1;           ///< 0, 1, 2: queries, keys, values of a joint tensor; -1: all of it
  bool transposed = false;  ///< stored as [in, out]
};

/// `weight` is a name of the Hugging Face layout, which is petlab's own. OpenAI's and OpenCLIP's
/// names differ from it, join queries, keys and values, and store both projections transposed.
/// OpenCLIP's `is_linear_projection` (proj_bias) stores that of texts as a linear layer does.
[[nodiscard]] WeightSource source_of(const std::string& weight, Naming naming,
                                     const std::string& text_prefix,
                                     bool is_linear_projection = false);

/// The factors (LayerScale, OpenCLIP's ls_init_value) of the map that this stored tensor belongs
/// to, as "…ls_1.gamma" is of "…attn.out_proj.weight"; "" where there can be none.
[[nodiscard]] std::string layer_scale_of(const std::string& stored);

/// Tensors that checkpoints hold beside their weights: buffers that follow from the sizes.
[[nodiscard]] bool is_passed_over(const std::string& name, Naming naming);

/// The configuration that OpenAI's and OpenCLIP's tensors imply, as OpenAI's build_model() reads
/// it: heads of 64, and for the three published widths that have others, of 80, 88 and 104. The
/// activation cannot be seen in a shape. Throws Error(data) naming the tensor.
[[nodiscard]] Config config_from_shapes(const StoredWeights& weights, Activation activation);

}  // namespace petlab::clip
