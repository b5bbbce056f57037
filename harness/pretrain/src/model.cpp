#include "petlab/pretrain/model.hpp"

#include "initialisation.hpp"
#include "petlab/base/error.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <optional>

namespace petlab::pretrain {

namespace {

/// White is 0.6 and black -1.4: icons are mostly paper, which should be close to zero.
constexpr double kMean = 0.7;
constexpr double kDeviation = 0.5;
constexpr double kInitialScale = 14.0;
constexpr double kTableDeviation = 0.03;
constexpr double kInitialContrastBias = -10.0;  // as in SigLIP
constexpr double kInitialFactBias = -2.0;
/// Batches of so many texts are run in parts of similar lengths.
constexpr std::int64_t kSmallestSplit = 32;
constexpr std::int64_t kTextParts = 3;
constexpr std::string_view kHead = "head.";
constexpr const char* kPlaces = "vision_model.embeddings.position_embedding.weight";

clip::Preprocessing preprocessing_of(const PretrainOptions& options) {
  return {.image_size = options.image_size,
          .mean = {kMean, kMean, kMean},
          .std = {kDeviation, kDeviation, kDeviation}};
}

void check_sizes(const PretrainOptions& options) {
  const auto check = [](std::int64_t whole, std::int64_t part, const char* what) {
    if (part <= 0 || whole <= 0 || whole % part != 0)
      throw base::Error(base::ErrorKind::config, std::string(what) + ": " + std::to_string(whole) +
                                                     " is no multiple of " + std::to_string(part));
  };
  check(options.image_size, options.patch_size, "image size and patch size");
  check(options.vision_width, options.vision_heads, "vision width and heads");
  check(options.text_width, options.text_heads, "text width and heads");
  if (options.early_view != EarlyView::whole &&
      (options.early_grid < 1 || options.early_grid * options.patch_size >= options.image_size))
    throw base::Error(base::ErrorKind::config,
                      "early-grid is " + std::to_string(options.early_grid) +
                          ", expected fewer patches a side than the images have");
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

View draw_view(const PretrainOptions& options, double progress, at::Generator& generator) {
  if (options.early_view == EarlyView::whole || progress >= options.early_share) return {};
  if (options.early_view == EarlyView::smaller) return {EarlyView::smaller};
  const std::int64_t grid = options.image_size / options.patch_size;
  const at::Tensor order = at::randperm(grid * grid, generator, at::kLong);
  const at::Tensor kept = order.narrow(0, 0, options.early_grid * options.early_grid);
  return {EarlyView::patches, std::get<0>(kept.sort())};
}

Model::Model(const PretrainOptions& options, const std::filesystem::path& tokenizer_dir,
             std::int64_t n_rows, c10::Device device, at::Generator& generator) {
  clip::Tokenizer tokenizer = clip::Tokenizer::load(tokenizer_dir);
  const clip::Config config = config_of(options, tokenizer);
  backbone_ =
      clip::Backbone::random(config, std::move(tokenizer), preprocessing_of(options), generator);
  if (options.early_view != EarlyView::whole) {
    PretrainOptions small = options;
    small.image_size = options.early_grid * options.patch_size;
    small.early_view = EarlyView::whole;
    at::Generator unused = at::detail::createCPUGenerator(options.seed);
    clip::Tokenizer same = clip::Tokenizer::load(tokenizer_dir);
    const clip::Config small_config = config_of(small, same);
    small_ = clip::Backbone::random(small_config, std::move(same), preprocessing_of(small), unused);
  }
  for (const sdk::NamedTensor& weight : backbone_->weights())
    parameters_.push_back({weight.name, weight.value.clone()});
  initialise_like_convolution(parameters_, config, generator);
  const auto random_rows = [&](std::int64_t rows) {
    return at::randn({rows, options.embed_dim}, generator, at::kFloat) * kTableDeviation;
  };
  const at::Tensor log_scale = at::scalar_tensor(std::log(kInitialScale), at::kFloat);
  parameters_.push_back({"head.table", random_rows(n_rows)});
  parameters_.push_back({"head.table_scale", log_scale.clone()});
  parameters_.push_back(
      {"head.contrast_bias", at::scalar_tensor(kInitialContrastBias, at::kFloat)});
  parameters_.push_back({"head.facts", random_rows(kFactRows)});
  parameters_.push_back({"head.fact_bias", at::full({kFactRows}, kInitialFactBias)});
  for (sdk::NamedTensor& parameter : parameters_)
    parameter.value = parameter.value.to(device).detach().contiguous().set_requires_grad(true);
}

clip::WeightOverrides Model::in_type(const std::vector<sdk::NamedTensor>& parameters,
                                     c10::ScalarType type) {
  clip::WeightOverrides weights;
  for (const sdk::NamedTensor& parameter : parameters)
    if (!parameter.name.starts_with(kHead))
      weights.emplace(parameter.name, parameter.value.to(type));
  return weights;
}

namespace {

/// The position embedding [1 + G^2, width] of a grid interpolated to one of `grid` patches a side.
at::Tensor interpolated(const at::Tensor& places, std::int64_t grid) {
  const auto old = static_cast<std::int64_t>(std::lround(std::sqrt(places.size(0) - 1)));
  const at::Tensor plane =
      places.slice(0, 1).to(at::kFloat).view({1, old, old, -1}).permute({0, 3, 1, 2});
  const at::Tensor small = at::upsample_bilinear2d(plane, {grid, grid}, /*align_corners=*/false);
  const at::Tensor rows = small.permute({0, 2, 3, 1}).reshape({grid * grid, -1});
  return at::cat({places.slice(0, 0, 1), rows.to(places.scalar_type())});
}

/// The chosen patches of pictures [B, 3, S, S], put together to smaller pictures.
at::Tensor chosen_patches(const at::Tensor& pixels, const at::Tensor& patches, std::int64_t patch) {
  const std::int64_t batch = pixels.size(0);
  const std::int64_t old = pixels.size(2) / patch;
  const auto grid = static_cast<std::int64_t>(std::lround(std::sqrt(patches.size(0))));
  return pixels.view({batch, 3, old, patch, old, patch})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({batch, old * old, 3, patch, patch})
      .index_select(1, patches)
      .view({batch, grid, grid, 3, patch, patch})
      .permute({0, 3, 1, 4, 2, 5})
      .reshape({batch, 3, grid * patch, grid * patch});
}

}  // namespace

at::Tensor Model::encode_image(const at::Tensor& planes, const clip::WeightOverrides& weights,
                               c10::ScalarType type, const View& view) const {
  const at::Tensor pixels = ((planes - kMean) * (1.0 / kDeviation));
  if (view.kind == EarlyView::whole)
    return backbone_->encode_image(pixels.to(type), {}, weights).to(at::kFloat);
  const sdk::BackboneShape& shape = small_->shape();
  const std::int64_t grid = shape.image_size / shape.patch_size;
  clip::WeightOverrides small_weights = weights;
  const at::Tensor places = weights.at(kPlaces);
  at::Tensor small_pixels;
  if (view.kind == EarlyView::smaller) {
    small_weights[kPlaces] = interpolated(places, grid);
    small_pixels = at::_upsample_bilinear2d_aa(pixels, {shape.image_size, shape.image_size},
                                               /*align_corners=*/false);
  } else {
    const at::Tensor patches = view.patches.to(pixels.device());
    const at::Tensor rows = at::cat({at::zeros({1}, patches.options()), patches + 1});
    small_weights[kPlaces] = places.index_select(0, rows);
    small_pixels = chosen_patches(pixels.contiguous(), patches, shape.patch_size);
  }
  return small_->encode_image(small_pixels.to(type), {}, small_weights).to(at::kFloat);
}

at::Tensor Model::encode_text(const std::vector<std::string>& texts,
                              const clip::WeightOverrides& weights) const {
  const auto device = parameters_.front().value.device();
  const clip::TokenBatch tokens =
      backbone_->tokenizer().encode_batch(texts, backbone_->config().shape.context_length);
  // Names are short and descriptions long: apart, the names need no padding.
  const std::int64_t n = tokens.ids.size(0);
  const auto [ends, order] =
      tokens.eot.cpu().sort(/*stable=*/std::optional<bool>(true), /*dim=*/0, /*descending=*/false);
  const std::int64_t n_parts = n >= kSmallestSplit ? kTextParts : 1;
  std::vector<at::Tensor> features;
  for (std::int64_t part = 0; part < n_parts; ++part) {
    const std::int64_t first = n * part / n_parts;
    const std::int64_t last = n * (part + 1) / n_parts;
    const std::int64_t length = ends[last - 1].item<std::int64_t>() + 1;
    const clip::TokenBatch some{
        .ids =
            tokens.ids.index_select(0, order.slice(0, first, last)).narrow(1, 0, length).to(device),
        .eot = ends.slice(0, first, last).to(device)};
    features.push_back(backbone_->encode_text(some, {}, weights));
  }
  const at::Tensor place = at::empty_like(order).index_copy_(0, order, at::arange(n, at::kLong));
  return at::cat(features).index_select(0, place.to(device)).to(at::kFloat);
}

const at::Tensor& Model::parameter(std::string_view name) const {
  for (const sdk::NamedTensor& parameter : parameters_)
    if (parameter.name == name) return parameter.value;
  throw base::Error(base::ErrorKind::internal, "the training has no '" + std::string(name) + "'");
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
