#include "checkpoint_names.hpp"

#include "petlab/base/error.hpp"
#include "shown_text.hpp"
#include "weights.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace petlab::clip {

namespace {

using NamePair = std::pair<std::string_view, std::string_view>;

// Whole names: Hugging Face's, OpenCLIP's. Those of the text tower take the prefix.
constexpr std::array<NamePair, 4> kVisionNames{
    {{"vision_model.embeddings.class_embedding", "visual.class_embedding"},
     {"vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"},
     {"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"},
     {"visual_projection.weight", "visual.proj"}}};
constexpr std::array<NamePair, 3> kTextNames{
    {{"text_model.embeddings.token_embedding.weight", "token_embedding.weight"},
     {"text_model.embeddings.position_embedding.weight", "positional_embedding"},
     {"text_projection.weight", "text_projection"}}};
// Beginnings of names; the rest (weight or bias, the layer's number) stays.
constexpr std::array<NamePair, 3> kVisionModules{
    {{"vision_model.pre_layrnorm.", "visual.ln_pre."},
     {"vision_model.post_layernorm.", "visual.ln_post."},
     {"vision_model.encoder.layers.", "visual.transformer.resblocks."}}};
constexpr std::array<NamePair, 2> kTextModules{
    {{"text_model.final_layer_norm.", "ln_final."},
     {"text_model.encoder.layers.", "transformer.resblocks."}}};
// Inside of a layer.
constexpr std::array<NamePair, 5> kLayerModules{{{"layer_norm1.", "ln_1."},
                                                 {"layer_norm2.", "ln_2."},
                                                 {"self_attn.out_proj.", "attn.out_proj."},
                                                 {"mlp.fc1.", "mlp.c_fc."},
                                                 {"mlp.fc2.", "mlp.c_proj."}}};
constexpr std::array<std::string_view, 3> kThirds{"self_attn.q_proj.", "self_attn.k_proj.",
                                                  "self_attn.v_proj."};

/// "3.layer_norm1.weight" -> "3.ln_1.weight".
WeightSource inside_layer(const std::string& start, std::string_view rest) {
  const std::size_t point = rest.find('.') + 1;
  const std::string number(rest.substr(0, point));
  const std::string_view name = rest.substr(point);
  for (int i = 0; i < 3; ++i)
    if (const std::string_view third = kThirds[static_cast<std::size_t>(i)];
        name.starts_with(third))
      return {start + number + "attn.in_proj_" + std::string(name.substr(third.size())), i, false};
  for (const auto& [from, to] : kLayerModules)
    if (name.starts_with(from))
      return {start + number + std::string(to) + std::string(name.substr(from.size()))};
  throw base::Error(base::ErrorKind::internal,
                    "the weight '" + std::string(rest) + "' has no name in OpenCLIP's layout");
}

template <class Names, class Modules>
bool translate(const std::string& weight, const std::string& prefix, const Names& names,
               const Modules& modules, WeightSource& result) {
  for (const auto& [from, to] : names)
    if (weight == from) {
      result = {prefix + std::string(to), -1, weight.ends_with("_projection.weight")};
      return true;
    }
  for (const auto& [from, to] : modules)
    if (weight.starts_with(from)) {
      const std::string start = prefix + std::string(to);
      const std::string_view rest = std::string_view(weight).substr(from.size());
      result = from.ends_with("layers.") ? inside_layer(start, rest)
                                         : WeightSource{start + std::string(rest)};
      return true;
    }
  return false;
}

/// Sizes of stored tensors, with errors that name them.
class Shapes {
 public:
  explicit Shapes(const StoredWeights& weights) : weights_(weights) {}

  [[nodiscard]] const std::vector<std::int64_t>& of(const std::string& name,
                                                    std::size_t dimensions) const {
    const auto* place = weights_.find(name);
    if (place == nullptr)
      throw base::Error(base::ErrorKind::data,
                        weights_.where() + " lacks the tensor '" + name + "'");
    const std::vector<std::int64_t>& shape = place->tensor->shape;
    const bool is_empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
    if (shape.size() != dimensions || is_empty)
      fail(name, "has shape " + shape_text(shape) + ", expected " + std::to_string(dimensions) +
                     " dimensions, none empty");
    return shape;
  }

  [[noreturn]] void fail(const std::string& name, const std::string& what) const {
    throw base::Error(base::ErrorKind::data, weights_.where() + ": tensor '" + name + "' " + what);
  }

  [[nodiscard]] std::int64_t layers(const std::string& prefix) const {
    std::int64_t count = 0;
    while (weights_.find(prefix + std::to_string(count) + ".attn.in_proj_weight") != nullptr)
      ++count;
    if (count == 0)
      throw base::Error(base::ErrorKind::data, weights_.where() + " lacks the tensor '" + prefix +
                                                   "0.attn.in_proj_weight'");
    return count;
  }

 private:
  const StoredWeights& weights_;
};

std::int64_t heads_of(std::int64_t width) {
  // OpenCLIP's ViT-H/14, g/14 and bigG/14 say head_width in their configurations.
  for (const auto& [published, head] :
       {std::pair<std::int64_t, std::int64_t>{1280, 80}, {1408, 88}, {1664, 104}})
    if (width == published) return width / head;
  return width / 64;
}

sdk::TowerShape tower(const Shapes& shapes, const std::string& blocks, std::int64_t width,
                      std::int64_t heads) {
  const std::string mlp = blocks + "0.mlp.c_fc.weight";
  if (heads < 1 || width % heads != 0)
    shapes.fail(mlp, "belongs to a tower of width " + std::to_string(width) +
                         ", which is no multiple of 64");
  return {.layers = shapes.layers(blocks),
          .width = width,
          .heads = heads,
          .mlp_width = shapes.of(mlp, 2)[0]};
}

}  // namespace

std::string layer_scale_of(const std::string& stored) {
  for (const auto& [map, scale] :
       {NamePair{".attn.out_proj.", ".ls_1.gamma"}, NamePair{".mlp.c_proj.", ".ls_2.gamma"}})
    if (const std::size_t at = stored.find(map); at != std::string::npos)
      return stored.substr(0, at) + std::string(scale);
  return "";
}

WeightSource source_of(const std::string& weight, Naming naming, const std::string& text_prefix,
                       bool is_linear_projection) {
  WeightSource result{weight};
  if (naming == Naming::hugging_face || weight == "logit_scale") return result;
  if (is_linear_projection && weight.starts_with("text_projection.")) {
    result.name = text_prefix + weight;
    return result;
  }
  if (translate(weight, "", kVisionNames, kVisionModules, result)) return result;
  if (translate(weight, text_prefix, kTextNames, kTextModules, result)) return result;
  throw base::Error(base::ErrorKind::internal,
                    "the weight '" + weight + "' has no name in OpenCLIP's layout");
}

bool is_passed_over(const std::string& name, Naming naming) {
  if (naming == Naming::hugging_face) return name.ends_with(".embeddings.position_ids");
  return name == "attn_mask" || name.ends_with(".attn_mask") || name == "input_resolution" ||
         name == "visual.input_resolution" || name == "context_length" || name == "vocab_size";
}

Config config_from_shapes(const StoredWeights& weights, Activation activation) {
  const Shapes shapes(weights);
  const std::string text = weights.text_prefix();
  const auto& patches = shapes.of("visual.conv1.weight", 4);
  const std::int64_t width = patches[0];
  const std::string positions = "visual.positional_embedding";
  const std::int64_t count = shapes.of(positions, 2)[0] - 1;
  std::int64_t grid = 1;
  while (grid < 1000 && grid * grid < count)
    ++grid;
  if (grid * grid != count)
    shapes.fail(positions, "has " + std::to_string(count + 1) +
                               " rows, expected those of a square of patches and one more");
  if (patches[3] > 1000) shapes.fail("visual.conv1.weight", "has patches of more than 1000 pixels");

  Config config;
  const auto& tokens = shapes.of(text + "token_embedding.weight", 2);
  config.shape.vision = tower(shapes, "visual.transformer.resblocks.", width, heads_of(width));
  config.shape.text = tower(shapes, text + "transformer.resblocks.", tokens[1], tokens[1] / 64);
  config.shape.embed_dim = shapes.of(text + "text_projection", 2)[1];
  config.shape.patch_size = patches[3];
  config.shape.image_size = grid * patches[3];
  config.shape.context_length = shapes.of(text + "positional_embedding", 2)[0];
  config.vocab_size = tokens[0];
  config.vision_activation = activation;
  config.text_activation = activation;
  config.eos_token_id = 2;  // the highest token id of a text
  return config;
}

}  // namespace petlab::clip
