#include "petlab/clip/backbone.hpp"

#include "initialisation.hpp"
#include "load_weights.hpp"
#include "model_files.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/clip/safetensors.hpp"
#include "settings.hpp"
#include "text_chunks.hpp"
#include "towers.hpp"
#include "weights.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <span>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

struct Backbone::Impl {
  Config config;
  Tokenizer tokenizer;
  Preprocessing preprocessing;
  c10::Device device;
  Weights weights;
};

namespace {

/// The tower pools where the tokenizer puts its end token; the configuration must mean the same.
void check_tokenizer(const Config& config, const Tokenizer& tokenizer) {
  if (tokenizer.vocab_size() > config.vocab_size)
    throw Error(ErrorKind::data, "the tokenizer has " + std::to_string(tokenizer.vocab_size()) +
                                     " tokens, but the model's configuration has vocab_size " +
                                     std::to_string(config.vocab_size));
  if (config.family == Family::siglip) return;  // its end is the tokenizer's
  const bool is_highest = tokenizer.end_token() == tokenizer.vocab_size() - 1;
  if (config.eos_token_id == 2 ? !is_highest : tokenizer.end_token() != config.eos_token_id)
    throw Error(ErrorKind::data, "the tokenizer's end token has the id " +
                                     std::to_string(tokenizer.end_token()) +
                                     ", but the model's configuration has eos_token_id " +
                                     std::to_string(config.eos_token_id));
}

void check_preprocessing(const Config& config, const Preprocessing& preprocessing) {
  if (preprocessing.image_size != config.shape.image_size)
    throw Error(ErrorKind::data, "the preprocessing has crop_size " +
                                     std::to_string(preprocessing.image_size) +
                                     ", but the model's configuration has image_size " +
                                     std::to_string(config.shape.image_size));
}

}  // namespace

Backbone::Backbone(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Backbone::~Backbone() = default;

std::shared_ptr<Backbone> Backbone::load(const std::filesystem::path& model, c10::Device device,
                                         const LoadOptions& options) {
  // The weights must be ordinary tensors even for a caller in inference mode: others train on them.
  const c10::InferenceMode ordinary(false);
  const c10::NoGradGuard no_grad;
  const ModelFiles files = find_model(model);
  const StoredWeights stored(files, /*only_published=*/!options.allow_unknown_weights);
  auto [config, preprocessing] = find_settings(files, stored).settings;
  // Before anything of the size of the model is allocated.
  check_stored_weights(config, stored);
  Tokenizer tokenizer = load_tokenizer(config, files.folder);
  check_tokenizer(config, tokenizer);
  if (config.family == Family::siglip) config.logit_bias = load_logit_bias(stored);
  check_preprocessing(config, preprocessing);
  auto impl = std::unique_ptr<Impl>(
      new Impl{config, std::move(tokenizer), preprocessing, device, Weights(config, device)});
  load_weights(impl->weights, stored);
  return std::shared_ptr<Backbone>(new Backbone(std::move(impl)));
}

std::shared_ptr<Backbone> Backbone::random(const Config& config, Tokenizer tokenizer,
                                           const Preprocessing& preprocessing,
                                           at::Generator& generator) {
  const c10::InferenceMode ordinary(false);
  check_tokenizer(config, tokenizer);
  check_preprocessing(config, preprocessing);
  auto impl = std::unique_ptr<Impl>(
      new Impl{config, std::move(tokenizer), preprocessing, c10::kCPU, Weights(config, c10::kCPU)});
  initialise(impl->weights, config, generator);
  return std::shared_ptr<Backbone>(new Backbone(std::move(impl)));
}

const Config& Backbone::config() const {
  return impl_->config;
}
const Tokenizer& Backbone::tokenizer() const {
  return impl_->tokenizer;
}
const Preprocessing& Backbone::preprocessing() const {
  return impl_->preprocessing;
}
c10::Device Backbone::device() const {
  return impl_->device;
}
const sdk::BackboneShape& Backbone::shape() const {
  return impl_->config.shape;
}
std::vector<sdk::NamedTensor> Backbone::weights() const {
  return impl_->weights.all();
}

at::Tensor Backbone::token_embeddings(std::string_view text) const {
  const std::vector<std::int64_t> ids = impl_->tokenizer.encode(text);
  return at::embedding(impl_->weights.text().token_embedding,
                       at::tensor(ids, at::kLong).to(impl_->device))
      .clone();
}

at::Tensor Backbone::text_features(const std::vector<std::string>& texts) const {
  constexpr std::size_t kBatch = 256;
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> features;
  for (std::size_t first = 0; first < texts.size(); first += kBatch) {
    const std::span<const std::string> some(texts.data() + first,
                                            std::min(kBatch, texts.size() - first));
    TokenBatch tokens = impl_->tokenizer.encode_batch(some, shape().context_length);
    features.push_back(
        encode_text({.ids = tokens.ids.to(impl_->device), .eot = tokens.eot.to(impl_->device)}));
  }
  if (features.empty())
    return at::zeros({0, shape().embed_dim}, impl_->weights.text().projection.options());
  return features.size() == 1 ? features.front() : at::cat(features);
}

at::Tensor Backbone::encode_image(const at::Tensor& pixels, const TowerBatch& prompts,
                                  const WeightOverrides& overrides) const {
  const Weights& weights = impl_->weights;
  if (overrides.empty()) return run_vision(weights.vision(), impl_->config, pixels, prompts);
  weights.check(overrides);
  return run_vision(weights.vision(overrides), impl_->config, pixels, prompts);
}

at::Tensor Backbone::encode_image_below(const at::Tensor& pixels, std::int64_t layers) const {
  return run_lower_vision(impl_->weights.vision(), impl_->config, pixels, layers);
}

at::Tensor Backbone::encode_image_above(const at::Tensor& stream, std::int64_t layers,
                                        const TowerBatch& prompts) const {
  return run_upper_vision(impl_->weights.vision(), impl_->config, stream, layers, prompts);
}

at::Tensor Backbone::encode_text(const TokenBatch& tokens, const TowerBatch& prompts,
                                 const WeightOverrides& overrides) const {
  const Weights& weights = impl_->weights;
  weights.check(overrides);
  const std::int64_t chunk = texts_per_chunk(impl_->config, tokens, prompts, overrides);
  if (tokens.ids.dim() == 2 && chunk < tokens.ids.size(0))
    return run_text_in_chunks(weights, impl_->config, tokens, prompts, overrides, chunk);
  if (overrides.empty()) return run_text(weights.text(), impl_->config, tokens, prompts);
  return run_text(weights.text(overrides), impl_->config, tokens, prompts);
}

at::Tensor Backbone::logit_scale(const WeightOverrides& overrides) const {
  const auto found = overrides.find("logit_scale");
  return (found != overrides.end() ? found->second : impl_->weights.get("logit_scale")).exp();
}

std::int64_t Backbone::parameter_count() const {
  std::int64_t count = 0;
  for (const sdk::NamedTensor& weight : impl_->weights.all())
    count += weight.value.numel();
  return count;
}

std::string Backbone::weight_hash() const {
  base::Sha256 hash;
  for (const sdk::NamedTensor& weight : impl_->weights.all()) {
    hash.update(weight.name + " " + shape_text(weight.value.sizes()) + "\n");
    const at::Tensor bytes = weight.value.to(at::kCPU).contiguous();
    hash.update(bytes.const_data_ptr(), bytes.nbytes());
  }
  return hash.finish_hex();
}

std::string Backbone::settings_hash() const {
  return clip::settings_hash({impl_->config, impl_->preprocessing}, impl_->tokenizer);
}

void Backbone::save(const std::filesystem::path& model_dir,
                    const std::filesystem::path& tokenizer_dir, at::ScalarType dtype,
                    const WeightOverrides& trained) const {
  std::error_code error;
  std::filesystem::create_directories(model_dir, error);
  std::vector<sdk::NamedTensor> stored;
  const bool is_siglip = impl_->config.family == Family::siglip;
  for (const sdk::NamedTensor& weight : impl_->weights.all()) {
    const auto own = trained.find(weight.name);
    at::Tensor value = (own == trained.end() ? weight.value : own->second).to(at::kCPU, dtype);
    if (is_siglip && weight.name == "logit_scale") value = value.reshape({1});
    stored.push_back({weight.name, value});
  }
  if (is_siglip) stored.push_back({"logit_bias", at::full({1}, impl_->config.logit_bias, dtype)});
  // transformers asks for this mark.
  write_safetensors(stored, model_dir / "model.safetensors", {{"format", "pt"}});
  write_config(impl_->config, model_dir);
  write_preprocessing(impl_->preprocessing, model_dir);
  if (std::filesystem::equivalent(model_dir, tokenizer_dir, error)) return;
  std::vector<std::string> names{"vocab.json", "merges.txt"};
  if (is_siglip) names = {impl_->tokenizer.source()};
  names.emplace_back("tokenizer_config.json");
  for (const std::string& name : names) {
    const std::filesystem::path from = tokenizer_dir / name;
    if (name == names.back() && !std::filesystem::exists(from)) continue;
    std::filesystem::copy_file(from, model_dir / name,
                               std::filesystem::copy_options::overwrite_existing, error);
    if (error)
      throw Error(ErrorKind::data, "cannot copy '" + from.string() + "' to '" + model_dir.string() +
                                       "': " + error.message());
  }
}

at::Tensor unit_length(const at::Tensor& features) {
  return features / features.norm(2, /*dim=*/-1, /*keepdim=*/true);
}

at::Tensor similarity_logits(const at::Tensor& image_features, const at::Tensor& text_features,
                             const at::Tensor& logit_scale) {
  return logit_scale * at::matmul(unit_length(image_features), unit_length(text_features).t());
}

}  // namespace petlab::clip
