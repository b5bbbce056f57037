#include "initialisation.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <string_view>

namespace petlab::clip {

namespace {

bool holds(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

/// Standard deviation of a matrix or embedding; the numbers are those of CLIP's
/// initialize_parameters() and of its vision transformer.
double deviation(std::string_view name, const Config& config) {
  const bool is_vision = name.starts_with("vis");
  const sdk::TowerShape& tower = is_vision ? config.shape.vision : config.shape.text;
  const auto width = static_cast<double>(tower.width);
  const auto layers = static_cast<double>(tower.layers);
  if (holds(name, "token_embedding")) return 0.02;
  if (holds(name, "text_model.embeddings.position_embedding")) return 0.01;
  if (holds(name, "patch_embedding")) {
    // The default of a convolution has the variance 1 / (3 fan_in).
    const auto side = static_cast<double>(config.shape.patch_size);
    return 1.0 / std::sqrt(3.0 * 3.0 * side * side);
  }
  if (holds(name, "out_proj") || holds(name, "fc2")) return 1.0 / std::sqrt(width * 2.0 * layers);
  if (holds(name, "fc1")) return 1.0 / std::sqrt(2.0 * width);
  // q, k, v, the projections, and the class and position embeddings of the image tower.
  return 1.0 / std::sqrt(width);
}

}  // namespace

void initialise(const Weights& weights, const Config& config, at::Generator& generator) {
  const c10::NoGradGuard no_grad;
  for (const sdk::NamedTensor& weight : weights.all()) {
    const std::string_view name = weight.name;
    const bool is_norm = holds(name, "norm") || holds(name, "layrnorm");
    if (name == "logit_scale") {
      weight.value.fill_(config.initial_logit_scale);
    } else if (name.ends_with(".bias")) {
      weight.value.zero_();
    } else if (is_norm) {
      weight.value.fill_(1.0);
    } else {
      // Drawn on the CPU, so that a seed means the same on every device.
      weight.value.copy_(at::empty(weight.value.sizes(), at::kFloat)
                             .normal_(0.0, deviation(name, config), generator));
    }
  }
}

}  // namespace petlab::clip
