#include "petlab/pretrain/model.hpp"

#include "initialisation.hpp"
#include "petlab/sdk/error.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

namespace petlab::pretrain {

namespace {

/// White is 0.6 and black -1.4: icons are mostly paper, which should be close to zero.
constexpr double kMean = 0.7;
constexpr double kDeviation = 0.5;
constexpr double kInitialScale = 14.0;
constexpr double kTableDeviation = 0.03;

clip::Preprocessing preprocessing_of(const PretrainOptions& options) {
  return {.image_size = options.image_size,
          .mean = {kMean, kMean, kMean},
          .std = {kDeviation, kDeviation, kDeviation}};
}

void check_sizes(const PretrainOptions& options) {
  const auto check = [](std::int64_t whole, std::int64_t part, const char* what) {
    if (part <= 0 || whole <= 0 || whole % part != 0)
      throw sdk::Error(sdk::ErrorKind::config, std::string(what) + ": " + std::to_string(whole) +
                                                   " is no multiple of " + std::to_string(part));
  };
  check(options.image_size, options.patch_size, "image size and patch size");
  check(options.vision_width, options.vision_heads, "vision width and heads");
  check(options.text_width, options.text_heads, "text width and heads");
}

}  // namespace

clip::Config config_of(const PretrainOptions& options, const clip::Tokenizer& tokenizer) {
  check_sizes(options);
  clip::Config config;
  config.shape.vision = {.layers = options.vision_layers,
                         .width = options.vision_width,
                         .heads = options.vision_heads,
                         .mlp_width = 4 * options.vision_width};
  config.shape.text = {.layers = options.text_layers,
                       .width = options.text_width,
                       .heads = options.text_heads,
                       .mlp_width = 4 * options.text_width};
  config.shape.embed_dim = options.embed_dim;
  config.shape.image_size = options.image_size;
  config.shape.patch_size = options.patch_size;
  config.shape.context_length = options.context_length;
  config.vocab_size = tokenizer.vocab_size();
  config.bos_token_id = tokenizer.start_token();
  config.eos_token_id = tokenizer.end_token();
  config.initial_logit_scale = std::log(kInitialScale);
  return config;
}

Model::Model(const PretrainOptions& options, const std::filesystem::path& tokenizer_dir,
             std::int64_t n_rows, c10::Device device, at::Generator& generator) {
  clip::Tokenizer tokenizer = clip::Tokenizer::load(tokenizer_dir);
  const clip::Config config = config_of(options, tokenizer);
  backbone_ =
      clip::Backbone::random(config, std::move(tokenizer), preprocessing_of(options), generator);
  for (const sdk::NamedTensor& weight : backbone_->weights())
    parameters_.push_back({weight.name, weight.value.clone()});
  initialise_like_convolution(parameters_, config, generator);
  parameters_.push_back(
      {"table", at::randn({n_rows, options.embed_dim}, generator, at::kFloat) * kTableDeviation});
  parameters_.push_back({"table_scale", at::scalar_tensor(std::log(kInitialScale), at::kFloat)});
  for (sdk::NamedTensor& parameter : parameters_)
    parameter.value = parameter.value.to(device).detach().contiguous().set_requires_grad(true);
}

clip::WeightOverrides Model::in_type(const std::vector<sdk::NamedTensor>& parameters,
                                     c10::ScalarType type) {
  clip::WeightOverrides weights;
  for (const sdk::NamedTensor& parameter : parameters)
    if (!parameter.name.starts_with("table"))
      weights.emplace(parameter.name, parameter.value.to(type));
  return weights;
}

at::Tensor Model::encode_image(const at::Tensor& planes, const clip::WeightOverrides& weights,
                               c10::ScalarType type) const {
  const at::Tensor pixels = (planes - kMean) * (1.0 / kDeviation);
  return backbone_->encode_image(pixels.to(type), {}, weights).to(at::kFloat);
}

at::Tensor Model::encode_text(const std::vector<std::string>& texts,
                              const clip::WeightOverrides& weights) const {
  clip::TokenBatch tokens =
      backbone_->tokenizer().encode_batch(texts, backbone_->config().shape.context_length);
  tokens.ids = tokens.ids.to(table().device());
  tokens.eot = tokens.eot.to(table().device());
  return backbone_->encode_text(tokens, {}, weights).to(at::kFloat);
}

const at::Tensor& Model::table() const {
  return parameters_[parameters_.size() - 2].value;
}
const at::Tensor& Model::table_scale() const {
  return parameters_.back().value;
}

const at::Tensor& Model::logit_scale() const {
  for (const sdk::NamedTensor& parameter : parameters_)
    if (parameter.name == "logit_scale") return parameter.value;
  throw sdk::Error(sdk::ErrorKind::internal, "the backbone has no logit_scale");
}

void Model::save(const std::filesystem::path& dir, const std::filesystem::path& tokenizer_dir,
                 const std::vector<sdk::NamedTensor>& values) const {
  const c10::NoGradGuard no_grad;
  const std::vector<sdk::NamedTensor> own = backbone_->weights();
  for (std::size_t i = 0; i < own.size(); ++i)
    own[i].value.copy_(values[i].value);
  backbone_->save(dir, tokenizer_dir, at::kHalf);
}

}  // namespace petlab::pretrain
