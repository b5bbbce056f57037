#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/clip/config.hpp"
#include "settings.hpp"
#include "shown_text.hpp"

#include <cmath>
#include <string_view>

namespace petlab::clip {

namespace {

constexpr std::int64_t kMaxSide = 1 << 16;

/// transformers has written sizes as a number, as {"height": n, "width": n}, as a list of both, and
/// as {"shortest_edge": n}.
std::int64_t read_square(const JsonObject& json, const std::string& key) {
  const nlohmann::json& value = json.at(key);
  if (value.is_array()) {
    const bool is_square = value.size() == 2 && value[0].is_number_unsigned() &&
                           value[0] == value[1] && value[0] >= 1 && value[0] <= kMaxSide;
    if (!is_square) json.fail(key, "is not square, expected two equal sides");
    return value[0].get<std::int64_t>();
  }
  if (!value.is_object()) return json.integer(key, 1, kMaxSide);
  const JsonObject size = json.object(key);
  if (size.contains("shortest_edge")) return size.integer("shortest_edge", 1, kMaxSide);
  const std::int64_t height = size.integer("height", 1, kMaxSide);
  if (size.integer("width", 1, kMaxSide) != height)
    json.fail(key, "is not square, expected equal height and width");
  return height;
}

/// A number means the shorter side here; height and width mean an image pressed into a square,
/// which is another picture than the shorter side's and not made by petlab.
std::int64_t read_shorter_side(const JsonObject& json, const std::string& key) {
  const nlohmann::json& value = json.at(key);
  if (value.is_array() || (value.is_object() && !value.contains("shortest_edge")))
    json.fail(key,
              "asks for images resized to a height and a width, whatever their shape; expected "
              "a number or \"shortest_edge\"");
  if (value.is_object() && json.object(key).given("longest_edge"))
    json.fail(key, "has a longest_edge, which petlab does not know");
  return read_square(json, key);
}

constexpr std::int64_t kBilinear = 2;  // Pillow's numbers
constexpr std::int64_t kBicubic = 3;

/// The steps of the pipeline are fixed; a file that switches one off or changes it means another.
void check_steps(const JsonObject& json, bool is_siglip) {
  for (const char* step : {"do_resize", "do_center_crop", "do_rescale", "do_normalize"}) {
    if (is_siglip && step == std::string_view("do_center_crop")) continue;
    if (json.given(step) && !json.boolean_or(step, true))
      json.fail(step, "is false, expected true: petlab does all steps of CLIP's preprocessing");
  }
  constexpr double kTolerance = 1e-9;
  if (json.given("rescale_factor") &&
      std::abs(json.real("rescale_factor") - 1.0 / 255.0) > kTolerance)
    json.fail("rescale_factor", "is not 1/255, the only one that petlab does");
}

/// Other processors have other defaults and other steps. True for SigLIP's.
bool check_processor(const JsonObject& json) {
  for (const char* key : {"image_processor_type", "feature_extractor_type"}) {
    if (!json.given(key)) continue;
    const std::string type = json.text(key);
    if (type.starts_with("SiglipImageProcessor")) return true;
    if (!type.starts_with("CLIP"))
      json.fail(key, "is '" + shown(type) +
                         "', expected CLIPImageProcessor or "
                         "SiglipImageProcessor");
  }
  return false;
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

/// SiglipImageProcessor: the whole image is pressed into the square, nothing is cropped.
Preprocessing siglip_square(const JsonObject& json) {
  Preprocessing result{.mean = {0.5, 0.5, 0.5},
                       .std = {0.5, 0.5, 0.5},
                       .fit = {.shape = base::SquareFit::Shape::squash}};
  if (json.boolean_or("do_center_crop", false))
    json.fail("do_center_crop", "is true, which SigLIP's preprocessing does not do");
  if (json.given("size")) {
    if (json.at("size").is_object() && json.object("size").given("shortest_edge"))
      json.fail("size", "is a shortest_edge, expected height and width");
    result.image_size = read_square(json, "size");
  }
  return result;
}

Preprocessing clip_square(const JsonObject& json) {
  Preprocessing result;
  if (json.given("crop_size")) result.image_size = read_square(json, "crop_size");
  const std::int64_t side =
      json.given("size") ? read_shorter_side(json, "size") : Preprocessing{}.image_size;
  if (side != result.image_size)
    json.fail("size", "is " + std::to_string(side) + ", which differs from crop_size, " +
                          std::to_string(result.image_size) + "; expected the same");
  return result;
}

}  // namespace

Preprocessing preprocessing_of(const JsonObject& json) {
  const bool is_siglip = check_processor(json);
  check_steps(json, is_siglip);
  Preprocessing result = is_siglip ? siglip_square(json) : clip_square(json);
  const std::int64_t filter = json.given("resample") ? json.integer("resample", 0, 5) : kBicubic;
  if (filter != kBicubic && filter != kBilinear)
    json.fail("resample", "is neither 2 (bilinear) nor 3 (bicubic)");
  if (filter == kBilinear) result.fit.filter = base::SquareFit::Filter::bilinear;
  if (json.given("image_mean")) result.mean = read_channels(json, "image_mean");
  if (json.given("image_std")) result.std = read_channels(json, "image_std");
  for (const double std : result.std)
    if (!(std > 0)) json.fail("image_std", "holds a value that is not positive");
  return result;
}

Preprocessing read_preprocessing(const std::filesystem::path& model_dir) {
  // transformers 5 writes the settings of tokenizer and images into one file.
  const std::filesystem::path joint = model_dir / "processor_config.json";
  if (!std::filesystem::exists(model_dir / "preprocessor_config.json") &&
      std::filesystem::exists(joint)) {
    const JsonObject json = JsonObject::read(joint);
    if (json.given("image_processor")) return preprocessing_of(json.object("image_processor"));
  }
  return preprocessing_of(JsonObject::read(model_dir / "preprocessor_config.json"));
}

void write_preprocessing(const Preprocessing& preprocessing,
                         const std::filesystem::path& model_dir) {
  const std::int64_t side = preprocessing.image_size;
  const nlohmann::ordered_json square{{"height", side}, {"width", side}};
  const bool is_squash = preprocessing.fit.shape == base::SquareFit::Shape::squash;
  nlohmann::ordered_json json{
      {"image_processor_type", is_squash ? "SiglipImageProcessor" : "CLIPImageProcessor"},
      {"do_convert_rgb", true},
      {"do_resize", true}};
  if (is_squash) {
    json["size"] = square;
  } else {
    json["size"]["shortest_edge"] = side;
  }
  const bool is_bilinear = preprocessing.fit.filter == base::SquareFit::Filter::bilinear;
  json["resample"] = is_bilinear ? kBilinear : kBicubic;
  if (!is_squash) {
    json["do_center_crop"] = true;
    json["crop_size"] = square;
  }
  json["do_rescale"] = true;
  json["rescale_factor"] = 1.0 / 255.0;
  json["do_normalize"] = true;
  json["image_mean"] = preprocessing.mean;
  json["image_std"] = preprocessing.std;
  base::write_file(model_dir / "preprocessor_config.json", json.dump(2) + "\n");
}

}  // namespace petlab::clip
