#pragma once

#include "json_file.hpp"
#include "petlab/clip/config.hpp"

#include <string>

namespace petlab::clip {

/// Throws Error(data) where the `model_cfg` of an open_clip_config.json is one of a family that
/// petlab does not compute (timm's towers, ResNets, CoCa ...): by its key, naming the family and
/// what it has that petlab's towers or tokenizers have not.
void refuse_other_families(const JsonObject& model);

/// "ViT-B/16", by the width of the image tower and its patches; "ViT of width 200, patches of 8"
/// where no published model has that width.
[[nodiscard]] std::string tower_name(const Config& config);

/// "SigLIP ViT-B/16, image pooling attention, text pooling last"; `origin` is in front of a CLIP's.
[[nodiscard]] std::string family_name(const Config& config, const std::string& origin);

}  // namespace petlab::clip
