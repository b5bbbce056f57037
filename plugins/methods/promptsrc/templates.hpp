#pragma once

#include <string>
#include <vector>

namespace petlab::plugins::promptsrc {

/// The 60 of CLIP's texts for ImageNet that PromptSRC averages frozen class features over.
[[nodiscard]] const std::vector<std::string>& imagenet_templates();

}  // namespace petlab::plugins::promptsrc
