// open_clip_config.json: keys and defaults are those of OpenCLIP's CLIPVisionCfg and CLIPTextCfg.
#include "open_clip_family.hpp"
#include "settings.hpp"
#include "shown_text.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>

namespace petlab::clip {

namespace {

/// A key that changes what a tower computes, with the one value that petlab's towers compute.
struct Fixed {
  const char* key;
  nlohmann::json value;
};

bool is_off(const nlohmann::json& value) {
  return value.is_null() || value == false || value == 0 || value == "";
}

/// Every key must be one that is read, one that changes nothing here, or switched off: what a key
/// means that is not known here nobody can say.
void check_keys(const JsonObject& json, std::initializer_list<const char*> read,
                std::initializer_list<const char*> harmless, const std::vector<Fixed>& fixed = {}) {
  const auto holds = [](std::initializer_list<const char*> list, const std::string& key) {
    return std::find(list.begin(), list.end(), key) != list.end();
  };
  for (const auto& [key, value] : json.items().items()) {
    if (holds(read, key) || holds(harmless, key) || is_off(value)) continue;
    const auto one = std::find_if(fixed.begin(), fixed.end(),
                                  [&wanted = key](const Fixed& f) { return f.key == wanted; });
    if (one == fixed.end()) json.fail(key, "is set, and petlab does not compute such a CLIP");
    if (value != one->value)
      json.fail(key, "is " + shown(value.dump()) + ", expected " + one->value.dump());
  }
}

double epsilon(const JsonObject& tower) {
  if (!tower.given("norm_kwargs")) return 1e-5;
  const JsonObject norm = tower.object("norm_kwargs");
  check_keys(norm, {"eps"}, {});
  if (!norm.contains("eps")) return 1e-5;
  const double value = norm.real("eps");
  if (!(value >= 0 && value < 1)) norm.fail("eps", "is not between 0 and 1");
  return value;
}

std::int64_t mlp_width(const JsonObject& tower, std::int64_t width) {
  const double ratio = tower.contains("mlp_ratio") ? tower.real("mlp_ratio") : 4.0;
  if (!(ratio > 0 && ratio <= 64)) tower.fail("mlp_ratio", "is not between 0 and 64");
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(width) * ratio));
}

void check_heads(const JsonObject& tower, const sdk::TowerShape& shape) {
  if (shape.heads < 1 || shape.width % shape.heads != 0)
    tower.fail("width", "is " + std::to_string(shape.width) + ", which does not divide into " +
                            std::to_string(shape.heads) + " heads");
}

sdk::TowerShape read_vision(const JsonObject& json) {
  check_keys(json,
             {"layers", "width", "head_width", "mlp_ratio", "patch_size", "image_size",
              "norm_kwargs", "act_kwargs", "ls_init_value"},  // of the last the tensors tell
             {"patch_dropout", "output_tokens", "attn_pooler_queries", "attn_pooler_heads",
              "timm_pool", "timm_proj", "timm_model_pretrained"},
             {{"pos_embed_type", "learnable"}, {"pool_type", "tok"}});
  sdk::TowerShape shape;
  shape.layers = json.integer_or("layers", 12, 1, 1000);
  shape.width = size_or(json, "width", 768);
  shape.heads = shape.width / size_or(json, "head_width", 64);
  shape.mlp_width = mlp_width(json, shape.width);
  check_heads(json, shape);
  return shape;
}

/// {"approximate": "tanh"} is the one argument that OpenCLIP's GELU takes; its quick GELU has none.
Activation activation(const JsonObject& tower, bool is_quick) {
  if (!tower.given("act_kwargs")) return is_quick ? Activation::quick_gelu : Activation::gelu;
  const JsonObject arguments = tower.object("act_kwargs");
  check_keys(arguments, {"approximate"}, {});
  const std::string kind =
      arguments.given("approximate") ? arguments.text("approximate") : std::string("none");
  if (kind != "none" && kind != "tanh")
    arguments.fail("approximate", "is '" + shown(kind) + "', expected none or tanh");
  if (is_quick && arguments.given("approximate"))
    arguments.fail("approximate", "is given, but quick_gelu takes no arguments");
  if (is_quick) return Activation::quick_gelu;
  return kind == "tanh" ? Activation::gelu_tanh : Activation::gelu;
}

/// "eos" pools where the token `eos_id` stands first, "argmax" where the id is highest.
bool is_pooled_by_id(const JsonObject& text) {
  return text.given("pool_type") && text.at("pool_type") == "eos";
}

TextPooling text_pooling(const JsonObject& text) {
  const std::string type = text.given("pool_type") ? text.text("pool_type") : "argmax";
  if (type == "last") return TextPooling::last;
  if (type != "argmax" && type != "eos")
    text.fail("pool_type", "is '" + shown(type) + "', expected argmax, eos or last");
  return TextPooling::end;
}

std::int64_t pooled_id(const JsonObject& text, std::int64_t vocab_size) {
  constexpr std::int64_t kHighest = 2;  // Config's sign for it
  if (!is_pooled_by_id(text)) return kHighest;
  const std::int64_t id = text.integer_or("eos_id", kHighest, 0, vocab_size - 1);
  if (id == kHighest)
    text.fail("eos_id", "is 2, expected the end token of a vocabulary of CLIP's kind");
  return id;
}

sdk::TowerShape read_text(const JsonObject& json) {
  check_keys(
      json,
      {"layers", "width", "heads", "mlp_ratio", "context_length", "vocab_size", "norm_kwargs",
       "act_kwargs", "ls_init_value", "no_causal_mask", "proj_bias", "pool_type", "pad_id"},
      {"hf_tokenizer_name", "output_tokens", "proj", "pooler_type", "hf_model_pretrained",
       "eos_id"},
      {{"proj_type", "linear"}, {"tokenizer_kwargs", nlohmann::json::object()}});
  sdk::TowerShape shape;
  shape.layers = json.integer_or("layers", 12, 1, 1000);
  shape.width = size_or(json, "width", 512);
  shape.heads = size_or(json, "heads", 8);
  shape.mlp_width = mlp_width(json, shape.width);
  check_heads(json, shape);
  return shape;
}

std::array<double, 3> channels(const JsonObject& json, const char* key,
                               const std::array<double, 3>& missing) {
  if (!json.given(key)) return missing;
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

Preprocessing read_preprocess(const JsonObject& json, std::int64_t image_size) {
  check_keys(json, {"mean", "std", "size", "interpolation", "resize_mode"}, {"fill_color"},
             {{"mode", "RGB"}});
  Preprocessing result;
  const auto one_of = [&](const char* key, const char* first, const char* second) {
    const std::string value = json.given(key) ? json.text(key) : std::string(first);
    if (value != first && value != second)
      json.fail(key, "is '" + shown(value) + "', expected " + first + " or " + second);
    return value == second;
  };
  if (one_of("interpolation", "bicubic", "bilinear"))
    result.fit.filter = base::SquareFit::Filter::bilinear;
  if (one_of("resize_mode", "shortest", "squash"))
    result.fit.shape = base::SquareFit::Shape::squash;
  result.image_size = square_size_or(json, "size", image_size);
  if (result.image_size != image_size)
    json.fail("size", "is " + std::to_string(result.image_size) + ", but the model's image_size " +
                          std::to_string(image_size));
  result.mean = channels(json, "mean", result.mean);
  result.std = channels(json, "std", result.std);
  for (const double std : result.std)
    if (!(std > 0)) json.fail("std", "holds a value that is not positive");
  return result;
}

}  // namespace

Settings open_clip_settings_of(const JsonObject& json) {
  const JsonObject model = json.object("model_cfg");
  refuse_other_families(model);
  check_keys(model, {"embed_dim", "quick_gelu", "vision_cfg", "text_cfg", "init_logit_scale"},
             {"custom_text", "model_type"});
  const JsonObject vision = model.object("vision_cfg");
  const JsonObject text = model.object("text_cfg");
  Settings settings;
  Config& config = settings.config;
  config.shape.vision = read_vision(vision);
  config.shape.text = read_text(text);
  config.shape.embed_dim = model.integer("embed_dim", 1, kMaxSize);
  config.shape.image_size = square_size_or(vision, "image_size", 224);
  config.shape.patch_size = square_size_or(vision, "patch_size", 16);
  if (config.shape.patch_size > config.shape.image_size)
    vision.fail("patch_size", "is greater than image_size");
  config.shape.context_length = text.integer_or("context_length", 77, 2, kMaxSize);
  config.vocab_size = text.integer_or("vocab_size", 49408, 2, std::int64_t{1} << 31);
  const bool is_quick = model.boolean_or("quick_gelu", false);
  config.vision_activation = activation(vision, is_quick);
  config.text_activation = activation(text, is_quick);
  config.vision_layer_norm_eps = epsilon(vision);
  config.text_layer_norm_eps = epsilon(text);
  config.eos_token_id = pooled_id(text, config.vocab_size);
  config.text_pooling = text_pooling(text);
  config.is_text_causal = !text.boolean_or("no_causal_mask", false);
  config.has_text_projection_bias = text.boolean_or("proj_bias", false);
  // OpenCLIP's own tokenizer fills up with 0, whatever pad_id says of other vocabularies.
  config.pad_token_id = 0;
  if (model.given("init_logit_scale")) config.initial_logit_scale = model.real("init_logit_scale");
  settings.preprocessing =
      json.given("preprocess_cfg")
          ? read_preprocess(json.object("preprocess_cfg"), config.shape.image_size)
          : Preprocessing{.image_size = config.shape.image_size};
  return settings;
}

}  // namespace petlab::clip
