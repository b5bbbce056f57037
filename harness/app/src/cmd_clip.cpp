#include "command.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/core/suggestion.hpp"
#include "petlab/sdk/error.hpp"

#include <iostream>

namespace petlab::app {
namespace {

void print_tower(const char* name, const sdk::TowerShape& tower, clip::Activation activation) {
  std::cout << name << tower.layers << " layers, width " << tower.width << ", " << tower.heads
            << " heads, MLP " << tower.mlp_width << ", "
            << (activation == clip::Activation::gelu ? "GELU" : "quick GELU") << "\n";
}

int info(const std::filesystem::path& folder) {
  const auto backbone = clip::Backbone::load(folder);
  const clip::Config& config = backbone->config();
  const sdk::BackboneShape& shape = backbone->shape();
  std::int64_t stored = 0;
  for (const auto& weight : backbone->weights())
    stored += weight.value.numel();
  std::cout << "folder      " << folder.string() << "\n";
  print_tower("images      ", shape.vision, config.vision_activation);
  print_tower("texts       ", shape.text, config.text_activation);
  const std::int64_t side = shape.patch_size > 0 ? shape.image_size / shape.patch_size : 0;
  std::cout << "pictures    " << shape.image_size << " x " << shape.image_size << ", patches of "
            << shape.patch_size << " (" << side * side << ")\n"
            << "text        up to " << shape.context_length << " tokens of "
            << grouped_digits(config.vocab_size) << ", start " << config.bos_token_id << ", end "
            << backbone->tokenizer().end_token() << "\n"
            << "shared      " << shape.embed_dim << " dimensions\n"
            << "parameters  " << grouped_digits(backbone->parameter_count()) << " in "
            << backbone->weights().size() << " tensors\n"
            << "weights     " << backbone->weight_hash() << "\n";
  return kOk;
}

}  // namespace

int run_clip(const Arguments& arguments) {
  const Usage usage{
      "clip",
      "info DIR",
      "Loads a CLIP in the Hugging Face layout (config.json, model.safetensors,\n"
      "vocab.json, merges.txt, preprocessor_config.json) with all its checks, and prints\n"
      "its shape and the hash of its weights.",
      po::options_description("Options"),
      {"ACTION", "DIR"},
      "  petlab clip info harness/backbones/petlab-icon-clip\n"
      "  petlab clip info ~/clip-vit-base-patch16\n"};
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const std::vector<std::string> known = {"info"};
  if (options->text("ACTION") != "info")
    throw sdk::Error(sdk::ErrorKind::config,
                     "petlab clip has no action '" + options->text("ACTION") + "'" +
                         core::did_you_mean(options->text("ACTION"), known));
  return info(options->text("DIR"));
}

}  // namespace petlab::app
