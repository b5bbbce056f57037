#include "petlab/base/error.hpp"
#include "petlab/clip/config.hpp"
#include "petlab/sdk/device_copy.hpp"

#include <ATen/ATen.h>

namespace petlab::clip {

at::Tensor normalise_pixels(const at::Tensor& images, const Preprocessing& how) {
  if (images.scalar_type() != at::kByte || images.dim() != 4 || images.size(1) != 3)
    throw base::Error(base::ErrorKind::internal, "normalise_pixels expects uint8 [B, 3, H, W]");
  // (x / 255 - mean) / std as one multiplication and one addition.
  std::array<float, 3> scale{};
  std::array<float, 3> shift{};
  for (std::size_t c = 0; c < scale.size(); ++c) {
    scale[c] = static_cast<float>(1.0 / (255.0 * how.std[c]));
    shift[c] = static_cast<float>(-how.mean[c] / how.std[c]);
  }
  const auto channels = [&](const std::array<float, 3>& values) {
    return sdk::to_device(at::tensor(at::ArrayRef<float>(values.data(), values.size()), at::kFloat)
                              .view({1, 3, 1, 1}),
                          images.device());
  };
  return images.to(at::kFloat).mul_(channels(scale)).add_(channels(shift));
}

}  // namespace petlab::clip
