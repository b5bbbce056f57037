#include "petlab/clip/checkpoint.hpp"

#include "known_weights.hpp"
#include "model_files.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/clip/tokenizer.hpp"
#include "safetensors_types.hpp"
#include "settings.hpp"

#include <algorithm>

namespace petlab::clip {

namespace {

std::string type_name(at::ScalarType type) {
  const auto* known = std::find_if(kSafetensorsTypes.begin(), kSafetensorsTypes.end(),
                                   [&](const SafetensorsType& one) { return one.type == type; });
  return known == kSafetensorsTypes.end() ? "?" : std::string(known->name);
}

std::string tower_text(const sdk::TowerShape& shape, Activation activation, double epsilon) {
  std::string text;
  for (const std::int64_t size : {shape.layers, shape.width, shape.heads, shape.mlp_width})
    text += std::to_string(size) + " ";
  const char* name = activation == Activation::gelu         ? "gelu "
                     : activation == Activation::quick_gelu ? "quick_gelu "
                                                            : "gelu_tanh ";
  return text + name + base::number_text(epsilon) + "\n";
}

}  // namespace

CheckpointInfo inspect_checkpoint(const std::filesystem::path& model) {
  const ModelFiles files = find_model(model);
  const StoredWeights weights(files);
  CheckpointInfo info;
  if (files.is_archive)
    info.format = "PyTorch archive with OpenAI's names";
  else
    info.format = weights.naming() == Naming::open_clip ? "safetensors with OpenCLIP's names"
                                                        : "safetensors with Hugging Face's names";
  if (!files.index.empty()) info.format += " in " + std::to_string(files.weights.size()) + " files";
  info.stripped = weights.stripped();
  info.files = files.weights;
  for (const std::filesystem::path& file : files.weights)
    info.bytes += std::filesystem::file_size(file);
  for (const auto& [name, place] : weights.all()) {
    std::uint64_t count = 0;
    if (count_elements(place.tensor->shape, count))
      info.types[type_name(place.tensor->type)] += static_cast<std::int64_t>(count);
  }
  if (files.is_archive) {
    info.sha256 = weights.archive_hash();
    if (const PublishedWeights* one = find_published(info.sha256)) info.published_as = one->model;
  }
  const FoundSettings found = find_settings(files, weights);
  info.family = found.family;
  info.settings_source = found.source;
  info.preprocessing_source = found.preprocessing_source;
  return info;
}

Preprocessing model_preprocessing(const std::filesystem::path& model) {
  const ModelFiles files = find_model(model);
  return find_settings(files, StoredWeights(files)).settings.preprocessing;
}

std::string model_settings_hash(const std::filesystem::path& model) {
  const ModelFiles files = find_model(model);
  Settings settings = find_settings(files, StoredWeights(files)).settings;
  const Tokenizer tokenizer = load_tokenizer(settings.config, files.folder);
  return settings_hash(settings, tokenizer);
}

Tokenizer load_tokenizer(Config& config, const std::filesystem::path& folder) {
  if (config.family != Family::siglip) return Tokenizer::load(folder, config.vocab_size);
  Tokenizer tokenizer = Tokenizer::load_siglip(folder);
  config.eos_token_id = tokenizer.end_token();
  config.pad_token_id = tokenizer.padding_token();
  return tokenizer;
}

std::string settings_hash(const Settings& settings, const Tokenizer& tokenizer) {
  const auto& [config, preprocessing] = settings;
  const sdk::BackboneShape& shape = config.shape;
  // The end token's own id, as towers and tokenizer agree on it; the configurations of one model
  // spell it in two ways.
  std::string all =
      tower_text(shape.vision, config.vision_activation, config.vision_layer_norm_eps) +
      tower_text(shape.text, config.text_activation, config.text_layer_norm_eps);
  for (const std::int64_t size : {shape.embed_dim, shape.image_size, shape.patch_size,
                                  shape.context_length, config.vocab_size, tokenizer.end_token()})
    all += std::to_string(size) + " ";
  all += std::to_string(preprocessing.image_size);
  for (const auto* values : {&preprocessing.mean, &preprocessing.std})
    for (const double value : *values)
      all.append(" ").append(base::number_text(value));
  // What CLIP's own towers do not have; of those the hash stays what it was.
  if (config.family == Family::siglip) all += " siglip";
  if (config.text_pooling == TextPooling::last) all += " last";
  if (!config.is_text_causal) all += " no mask";
  if (config.is_text_padded()) all += " padded " + std::to_string(config.pad_token_id);
  if (const std::string fit = preprocessing.fit.mark(); !fit.empty()) all += " " + fit;
  all.append("\n").append(tokenizer.hash());
  base::Sha256 hash;
  hash.update(all);
  return hash.finish_hex();
}

}  // namespace petlab::clip
