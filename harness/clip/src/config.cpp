#include "petlab/clip/config.hpp"

#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "settings.hpp"
#include "shown_text.hpp"

namespace petlab::clip {

std::int64_t size_or(const JsonObject& json, const char* key, std::int64_t missing) {
  return json.integer_or(key, missing, 1, kMaxSize);
}

std::int64_t square_size_or(const JsonObject& json, const char* key, std::int64_t missing) {
  if (!json.contains(key) || !json.at(key).is_array()) return size_or(json, key, missing);
  const nlohmann::json& list = json.at(key);
  const bool is_square = list.size() == 2 && list[0].is_number_unsigned() && list[0] == list[1] &&
                         list[0] >= 1 && list[0] <= kMaxSize;
  if (!is_square) json.fail(key, "is not a size or two equal sizes");
  return list[0].get<std::int64_t>();
}

namespace {

/// The settings of one tower as transformers' CLIPConfig finds them: what `<name>_dict` holds, an
/// older spelling, takes the place of all of `<name>`; a missing key has the default of ViT-B/32.
JsonObject section(const JsonObject& json, const std::string& name) {
  if (json.given(name + "_dict")) return json.object(name + "_dict");
  return json.given(name) ? json.object(name) : json.empty_section(name);
}

sdk::TowerShape read_tower(const JsonObject& json, const sdk::TowerShape& missing) {
  const sdk::TowerShape shape{
      .layers = json.integer_or("num_hidden_layers", missing.layers, 1, 1000),
      .width = size_or(json, "hidden_size", missing.width),
      .heads = size_or(json, "num_attention_heads", missing.heads),
      .mlp_width = size_or(json, "intermediate_size", missing.mlp_width)};
  if (shape.width % shape.heads != 0)
    json.fail("hidden_size", "is " + std::to_string(shape.width) +
                                 ", expected a multiple of num_attention_heads, " +
                                 std::to_string(shape.heads));
  return shape;
}

Activation read_activation(const JsonObject& json, Activation missing = Activation::quick_gelu) {
  if (!json.given("hidden_act")) return missing;
  const std::string name = json.text("hidden_act");
  if (name == "quick_gelu") return Activation::quick_gelu;
  if (name == "gelu") return Activation::gelu;
  if (name == "gelu_pytorch_tanh") return Activation::gelu_tanh;
  json.fail("hidden_act",
            "is '" + shown(name) + "', expected quick_gelu, gelu or gelu_pytorch_tanh");
}

double read_epsilon(const JsonObject& json, double missing = 1e-5) {
  if (!json.given("layer_norm_eps")) return missing;
  const double epsilon = json.real("layer_norm_eps");
  if (!(epsilon >= 0 && epsilon < 1))
    json.fail("layer_norm_eps", "is " + std::to_string(epsilon) + ", expected 0 <= value < 1");
  return epsilon;
}

const char* activation_name(Activation activation) {
  switch (activation) {
    case Activation::quick_gelu:
      return "quick_gelu";
    case Activation::gelu:
      return "gelu";
    case Activation::gelu_tanh:
      return "gelu_pytorch_tanh";
  }
  return "";
}

nlohmann::ordered_json tower_json(const sdk::TowerShape& shape, Activation activation,
                                  double epsilon, std::int64_t embed_dim) {
  return {{"hidden_size", shape.width},
          {"intermediate_size", shape.mlp_width},
          {"num_hidden_layers", shape.layers},
          {"num_attention_heads", shape.heads},
          {"hidden_act", activation_name(activation)},
          {"layer_norm_eps", epsilon},
          {"projection_dim", embed_dim},
          {"attention_dropout", 0.0}};
}

/// Why models that users take for a CLIP are none.
std::string family_text(const std::string& type) {
  if (type == "siglip2")
    return " (SigLIP 2 NaFlex, whose images keep their aspect and have no fixed number of patches; "
           "petlab computes the checkpoints of one resolution, which are of the type siglip)";
  if (type == "siglip_vision_model" || type == "siglip_text_model")
    return " (one tower of a SigLIP; petlab needs both)";
  if (type == "clip_vision_model" || type == "clip_text_model")
    return " (one tower of a CLIP; petlab needs both)";
  if (type == "chinese_clip" || type == "altclip" || type == "metaclip_2")
    return " (a CLIP with another text tower or vocabulary, which petlab does not compute)";
  return "";
}

/// SiglipConfig of transformers, with its defaults. The tokens of end and padding are the
/// tokenizer's: those of published configurations are CLIP's.
Config siglip_config_of(const JsonObject& json) {
  const JsonObject vision = section(json, "vision_config");
  const JsonObject text = section(json, "text_config");
  const sdk::TowerShape base{.layers = 12, .width = 768, .heads = 12, .mlp_width = 3072};
  Config config;
  config.family = Family::siglip;
  config.text_pooling = TextPooling::last;
  config.is_text_causal = false;
  config.has_text_projection_bias = true;
  config.shape.vision = read_tower(vision, base);
  config.shape.text = read_tower(text, base);
  config.shape.image_size = square_size_or(vision, "image_size", 224);
  config.shape.patch_size = square_size_or(vision, "patch_size", 16);
  config.shape.context_length = text.integer_or("max_position_embeddings", 64, 2, kMaxSize);
  config.shape.embed_dim =
      text.given("projection_size") ? size_or(text, "projection_size", 1) : config.shape.text.width;
  if (config.shape.embed_dim != config.shape.vision.width)
    text.fail("projection_size", "is " + std::to_string(config.shape.embed_dim) +
                                     ", expected the width of the image tower, " +
                                     std::to_string(config.shape.vision.width));
  if (config.shape.patch_size > config.shape.image_size)
    vision.fail("patch_size", "is greater than image_size");
  if (vision.integer_or("num_channels", 3, 1, kMaxSize) != 3)
    vision.fail("num_channels", "is not 3");
  if (!vision.boolean_or("vision_use_head", true))
    vision.fail("vision_use_head", "is false, expected true: the head pools the patches");
  config.vocab_size = text.integer_or("vocab_size", 32000, 2, std::int64_t{1} << 31);
  config.vision_activation = read_activation(vision, Activation::gelu_tanh);
  config.text_activation = read_activation(text, Activation::gelu_tanh);
  config.vision_layer_norm_eps = read_epsilon(vision, 1e-6);
  config.text_layer_norm_eps = read_epsilon(text, 1e-6);
  return config;
}

}  // namespace

Config config_of(const JsonObject& json) {
  const std::string type = json.text("model_type");
  if (type == "siglip") return siglip_config_of(json);
  if (type != "clip")
    json.fail("model_type",
              "is '" + shown(type) + "', expected 'clip' or 'siglip'" + family_text(type));
  const JsonObject vision = section(json, "vision_config");
  const JsonObject text = section(json, "text_config");

  Config config;
  config.shape.vision =
      read_tower(vision, {.layers = 12, .width = 768, .heads = 12, .mlp_width = 3072});
  config.shape.text = read_tower(text, {.layers = 12, .width = 512, .heads = 8, .mlp_width = 2048});
  config.shape.embed_dim = size_or(json, "projection_dim", 512);
  config.shape.image_size = square_size_or(vision, "image_size", 224);
  config.shape.patch_size = square_size_or(vision, "patch_size", 32);
  config.shape.context_length = text.integer_or("max_position_embeddings", 77, 2, kMaxSize);
  if (config.shape.patch_size > config.shape.image_size)
    vision.fail("patch_size", "is greater than image_size");
  if (vision.integer_or("num_channels", 3, 1, kMaxSize) != 3)
    vision.fail("num_channels", "is not 3");

  config.vocab_size = text.integer_or("vocab_size", 49408, 2, std::int64_t{1} << 31);
  config.vision_activation = read_activation(vision);
  config.text_activation = read_activation(text);
  config.vision_layer_norm_eps = read_epsilon(vision);
  config.text_layer_norm_eps = read_epsilon(text);
  config.eos_token_id = text.integer_or("eos_token_id", 49407, 0, config.vocab_size - 1);
  // Nothing is computed with it: the tokenizer knows its own. Small models keep the large default.
  if (text.given("bos_token_id"))
    config.bos_token_id = text.integer("bos_token_id", 0, std::int64_t{1} << 31);
  if (json.given("logit_scale_init_value"))
    config.initial_logit_scale = json.real("logit_scale_init_value");
  return config;
}

Config read_config(const std::filesystem::path& model_dir) {
  return config_of(JsonObject::read(model_dir / "config.json"));
}

void write_config(const Config& config, const std::filesystem::path& model_dir) {
  if (config.family == Family::clip && (config.is_text_padded() || config.has_text_projection_bias))
    throw base::Error(base::ErrorKind::config,
                      "a model with OpenCLIP's text pooling 'last', without a causal mask or with "
                      "proj_bias cannot be written: the Hugging Face layout has no place for it");
  const sdk::BackboneShape& shape = config.shape;
  nlohmann::ordered_json vision = tower_json(shape.vision, config.vision_activation,
                                             config.vision_layer_norm_eps, shape.embed_dim);
  const std::string family = config.family == Family::siglip ? "siglip" : "clip";
  vision["model_type"] = family + "_vision_model";
  vision["image_size"] = shape.image_size;
  vision["patch_size"] = shape.patch_size;
  vision["num_channels"] = 3;
  nlohmann::ordered_json text =
      tower_json(shape.text, config.text_activation, config.text_layer_norm_eps, shape.embed_dim);
  text["model_type"] = family + "_text_model";
  text["vocab_size"] = config.vocab_size;
  text["max_position_embeddings"] = shape.context_length;
  text["bos_token_id"] = config.bos_token_id;
  text["eos_token_id"] = config.eos_token_id;
  text["pad_token_id"] =
      config.family == Family::siglip ? config.pad_token_id : config.eos_token_id;
  nlohmann::ordered_json json{
      {"architectures", {config.family == Family::siglip ? "SiglipModel" : "CLIPModel"}},
      {"model_type", family}};
  if (config.family == Family::siglip) {
    text["projection_size"] = shape.embed_dim;
  } else {
    json["projection_dim"] = shape.embed_dim;
    json["logit_scale_init_value"] = config.initial_logit_scale;
  }
  json["text_config"] = text;
  json["vision_config"] = vision;
  base::write_file(model_dir / "config.json", json.dump(2) + "\n");
}

}  // namespace petlab::clip
