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

int print_info(const std::filesystem::path& folder) {
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

int info(const Arguments& arguments) {
  const Usage usage{
      "clip info",
      "DIR",
      "Loads a CLIP in the Hugging Face layout (config.json, model.safetensors,\n"
      "vocab.json, merges.txt, preprocessor_config.json) with all its checks, and prints\n"
      "its shape and the hash of its weights.",
      po::options_description("Options"),
      {"DIR"},
      "  petlab clip info harness/backbones/petlab-icon-clip\n"
      "  petlab clip info ~/clip-vit-base-patch16\n"};
  const auto options = parse(usage, arguments);
  return options ? print_info(options->text("DIR")) : kOk;
}

}  // namespace

int run_clip(const Arguments& arguments) {
  const std::vector<Command> actions = {
      {"info", "shape, parameters and weight hash of a backbone", info},
      {"embed", "features of pictures and texts, as CSV", run_clip_embed},
      {"classify", "which of some labels fits a picture best", run_clip_classify},
  };
  const std::string wanted = arguments.empty() ? "" : arguments.front();
  std::vector<std::string> known;
  for (const Command& action : actions) {
    if (wanted == action.name) return action.run({arguments.begin() + 1, arguments.end()});
    known.emplace_back(action.name);
  }
  if (!wanted.empty() && wanted != "--help" && wanted != "-h")
    throw sdk::Error(sdk::ErrorKind::config, "petlab clip has no action '" + wanted + "'" +
                                                 core::did_you_mean(wanted, known));
  std::cout << "petlab clip ACTION [options]\n\n";
  for (const Command& action : actions)
    std::cout << "  " << action.name << std::string(14 - std::string(action.name).size(), ' ')
              << action.summary << "\n";
  std::cout << "\npetlab clip ACTION --help says more. Examples:\n"
               "  petlab clip info harness/backbones/petlab-icon-clip\n"
               "  petlab clip classify --backbone harness/backbones/petlab-icon-clip \\\n"
               "      --image dog.jpg --labels dog,cat,mug\n";
  return wanted.empty() ? kUsage : kOk;
}

}  // namespace petlab::app
