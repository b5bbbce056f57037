#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/clip/config.hpp"
#include "settings.hpp"
#include "shown_text.hpp"

#include <cmath>

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

/// The steps of the pipeline are fixed; a file that switches one off or changes it means another.
void check_steps(const JsonObject& json) {
  for (const char* step : {"do_resize", "do_center_crop", "do_rescale", "do_normalize"})
    if (json.given(step) && !json.boolean_or(step, true))
      json.fail(step, "is false, expected true: petlab does all steps of CLIP's preprocessing");
  constexpr std::int64_t kBicubic = 3;
  if (json.given("resample") && json.integer("resample", 0, 5) != kBicubic)
    json.fail("resample", "is not 3 (bicubic), the only one that petlab does");
  constexpr double kTolerance = 1e-9;
  if (json.given("rescale_factor") &&
      std::abs(json.real("rescale_factor") - 1.0 / 255.0) > kTolerance)
    json.fail("rescale_factor", "is not 1/255, the only one that petlab does");
}

/// Other processors have other defaults and other steps.
void check_processor(const JsonObject& json) {
  for (const char* key : {"image_processor_type", "feature_extractor_type"}) {
    if (!json.given(key)) continue;
    const std::string type = json.text(key);
    if (!type.starts_with("CLIP"))
      json.fail(key, "is '" + shown(type) + "', expected CLIPImageProcessor");
  }
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

Preprocessing preprocessing_of(const JsonObject& json) {
  check_processor(json);
  check_steps(json);
  Preprocessing result;
  if (json.given("crop_size")) result.image_size = read_square(json, "crop_size");
  const std::int64_t side =
      json.given("size") ? read_shorter_side(json, "size") : Preprocessing{}.image_size;
  if (side != result.image_size)
    json.fail("size", "is " + std::to_string(side) + ", which differs from crop_size, " +
                          std::to_string(result.image_size) + "; expected the same");
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
  base::write_file(model_dir / "preprocessor_config.json", json.dump(2) + "\n");
}

}  // namespace petlab::clip
