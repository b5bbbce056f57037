#include "atomic_file.hpp"
#include "json_file.hpp"
#include "petlab/clip/config.hpp"
#include "petlab/sdk/error.hpp"

#include <ATen/ATen.h>

namespace petlab::clip {

namespace {

constexpr std::int64_t kMaxSide = 1 << 16;

/// transformers has written `size` as a number, and as {"shortest_edge": n}; `crop_size` as a
/// number, and as {"height": n, "width": n}.
std::int64_t read_side(const JsonObject& json, const std::string& key) {
  if (!json.at(key).is_object()) return json.integer(key, 1, kMaxSide);
  const JsonObject size = json.object(key);
  if (size.contains("shortest_edge")) return size.integer("shortest_edge", 1, kMaxSide);
  const std::int64_t height = size.integer("height", 1, kMaxSide);
  if (size.integer("width", 1, kMaxSide) != height)
    json.fail(key, "is not square, expected equal height and width");
  return height;
}

std::array<double, 3> read_channels(const JsonObject& json, const std::string& key) {
  const nlohmann::json& list = json.at(key);
  std::array<double, 3> result{};
  if (!list.is_array() || list.size() != result.size())
    json.fail(key, "is not a list of three numbers");
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (!list[i].is_number()) json.fail(key, "is not a list of three numbers");
    result[i] = list[i].get<double>();
  }
  return result;
}

}  // namespace

Preprocessing read_preprocessing(const std::filesystem::path& model_dir) {
  const JsonObject json = JsonObject::read(model_dir / "preprocessor_config.json");
  Preprocessing result;
  result.image_size = read_side(json, "crop_size");
  if (read_side(json, "size") != result.image_size)
    json.fail("size", "differs from crop_size, expected the same");
  result.mean = read_channels(json, "image_mean");
  result.std = read_channels(json, "image_std");
  for (const double std : result.std)
    if (!(std > 0)) json.fail("image_std", "holds a value that is not positive");
  return result;
}

void write_preprocessing(const Preprocessing& preprocessing,
                         const std::filesystem::path& model_dir) {
  const std::int64_t side = preprocessing.image_size;
  const nlohmann::ordered_json json{{"image_processor_type", "CLIPImageProcessor"},
                                    {"do_convert_rgb", true},
                                    {"do_resize", true},
                                    {"size", {{"shortest_edge", side}}},
                                    {"resample", 3},  // bicubic
                                    {"do_center_crop", true},
                                    {"crop_size", {{"height", side}, {"width", side}}},
                                    {"do_rescale", true},
                                    {"rescale_factor", 1.0 / 255.0},
                                    {"do_normalize", true},
                                    {"image_mean", preprocessing.mean},
                                    {"image_std", preprocessing.std}};
  write_text_file(model_dir / "preprocessor_config.json", json.dump(2) + "\n");
}

at::Tensor normalise_pixels(const at::Tensor& images, const Preprocessing& how) {
  if (images.scalar_type() != at::kByte || images.dim() != 4 || images.size(1) != 3)
    throw sdk::Error(sdk::ErrorKind::internal, "normalise_pixels expects uint8 [B, 3, H, W]");
  // (x / 255 - mean) / std as one multiplication and one addition.
  std::array<float, 3> scale{};
  std::array<float, 3> shift{};
  for (std::size_t c = 0; c < scale.size(); ++c) {
    scale[c] = static_cast<float>(1.0 / (255.0 * how.std[c]));
    shift[c] = static_cast<float>(-how.mean[c] / how.std[c]);
  }
  const auto channels = [&](const std::array<float, 3>& values) {
    return at::tensor(at::ArrayRef<float>(values.data(), values.size()), at::kFloat)
        .view({1, 3, 1, 1})
        .to(images.device());
  };
  return images.to(at::kFloat).mul_(channels(scale)).add_(channels(shift));
}

}  // namespace petlab::clip
