#pragma once

#include "petlab/clip/config.hpp"
#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Generator.h>

#include <vector>

namespace petlab::pretrain {

/// Gives the image tower a start from which it learns small pictures quickly. Plain patches start
/// with no notion of "beside"; here each layer's first heads look at one neighbour each, as a 3 x 3
/// convolution does, through the position embedding alone:
/// - the last channels (as many as a head has) of the position embedding hold sines and cosines of
///   row and column, the others start at zero;
/// - head h's query is the key of the patch `offset_h` away: a rotation of those sines and cosines;
/// - the patch embedding starts as a cosine transform in the remaining channels.
/// Everything is trained afterwards. All other weights keep CLIP's own start, with the outputs of
/// the residual branches scaled to 1 / sqrt(2 layers) of their fan-in. `weights` hold the
/// backbone's weights under their names and are changed in place.
void initialise_like_convolution(const std::vector<sdk::NamedTensor>& weights,
                                 const clip::Config& config, at::Generator& generator);

}  // namespace petlab::pretrain
