#pragma once

#include "petlab/sdk/backbone.hpp"
#include "petlab/sdk/options.hpp"

#include <cstdint>

namespace petlab::plugins::mmap {

/// The sizes of one MmAP, in the symbols of the paper.
struct MmapShape {
  std::int64_t b = 0;              ///< prompt tokens a layer, in either tower
  std::int64_t m = 0;              ///< rows of a source prompt; divides b
  std::int64_t n = 0;              ///< columns of a source prompt; divides d_l and d_v
  std::int64_t text_layers = 0;    ///< prompted layers of the text tower; 0: none
  std::int64_t vision_layers = 0;  ///< prompted layers of the image tower; 0: none
  std::int64_t d_l = 0;            ///< width of the text tower
  std::int64_t d_v = 0;            ///< width of the image tower
  bool share_k = false;            ///< one K_l and one K_v for all layers

  /// Source prompts: one for each layer that is prompted in either tower.
  [[nodiscard]] std::int64_t source_layers() const;
};

/// Prompt tokens a layer: option `b`, or what `preset` says.
[[nodiscard]] std::int64_t prompt_tokens(const sdk::Options& options);

/// The shape that the options stand for on this backbone. Throws Error(config) that names option,
/// value and rule when m does not divide b, n does not divide a width, or `depth` is more than any
/// prompted tower has.
[[nodiscard]] MmapShape resolve_shape(const sdk::Options& options,
                                      const sdk::BackboneShape& backbone);

}  // namespace petlab::plugins::mmap
