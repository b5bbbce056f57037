#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/checkpoint.hpp"

#include <iostream>

namespace petlab::app {
namespace {

void print_tower(const char* name, const sdk::TowerShape& tower, clip::Activation activation,
                 std::int64_t parameters) {
  std::cout << name << tower.layers << " layers, width " << tower.width << ", " << tower.heads
            << " heads, MLP " << tower.mlp_width << ", "
            << (activation == clip::Activation::gelu         ? "GELU"
                : activation == clip::Activation::quick_gelu ? "quick GELU"
                                                             : "GELU by tanh")
            << "; " << grouped_digits(parameters) << " parameters\n";
}

/// Parameters of one tower with its projection.
std::int64_t count_parameters(const clip::Backbone& backbone, std::string_view first_letters) {
  std::int64_t count = 0;
  for (const sdk::NamedTensor& weight : backbone.weights())
    if (weight.name.starts_with(first_letters)) count += weight.value.numel();
  return count;
}

void print_files(const clip::CheckpointInfo& info) {
  std::cout << "family      " << info.family << "\n"
            << "format      " << info.format << "\n";
  if (!info.stripped.empty())
    std::cout << "names       without the prefix '" << info.stripped
              << "' that all of the CLIP have\n";
  for (const std::filesystem::path& file : info.files)
    std::cout << "file        " << file.filename().string() << "\n";
  std::cout << "stored      " << grouped_digits(static_cast<std::int64_t>(info.bytes)) << " bytes";
  for (const auto& [type, count] : info.types)
    std::cout << ", " << grouped_digits(count) << " numbers as " << type;
  std::cout << "\n";
  if (!info.sha256.empty())
    std::cout << "SHA-256     " << info.sha256 << " ("
              << (info.published_as.empty() ? "not published by OpenAI"
                                            : "OpenAI's " + info.published_as)
              << ")\n";
  std::cout << "settings    from " << info.settings_source << "\n";
}

void print_preprocessing(const clip::Preprocessing& how, const std::string& source) {
  const bool is_bilinear = how.fit.filter == base::SquareFit::Filter::bilinear;
  const char* filter = is_bilinear ? " (bilinear)" : " (bicubic)";
  if (how.fit.shape == base::SquareFit::Shape::squash)
    std::cout << "preprocess  height and width to " << how.image_size << filter << ", mean";
  else
    std::cout << "preprocess  shorter side to " << how.image_size << filter << ", centre crop "
              << how.image_size << " x " << how.image_size << ", mean";
  for (const double value : how.mean)
    std::cout << " " << value;
  std::cout << ", deviation";
  for (const double value : how.std)
    std::cout << " " << value;
  std::cout << "; from " << source << "\n";
}

int print_info(const std::filesystem::path& model, const clip::LoadOptions& options) {
  const auto backbone = clip::Backbone::load(model, c10::kCPU, options);
  const clip::CheckpointInfo files = clip::inspect_checkpoint(model);
  const clip::Config& config = backbone->config();
  const sdk::BackboneShape& shape = backbone->shape();
  std::cout << "model       " << model.string() << "\n";
  print_files(files);
  print_tower("images      ", shape.vision, config.vision_activation,
              count_parameters(*backbone, "vis"));
  print_tower("texts       ", shape.text, config.text_activation,
              count_parameters(*backbone, "text"));
  const std::int64_t side = shape.image_size / shape.patch_size;
  std::cout << "images      " << shape.image_size << " x " << shape.image_size << ", patches of "
            << shape.patch_size << " (" << side * side << ")\n"
            << "text        up to " << shape.context_length << " tokens of "
            << grouped_digits(config.vocab_size);
  if (backbone->tokenizer().has_start_token())
    std::cout << ", start " << backbone->tokenizer().start_token();
  std::cout << ", end " << backbone->tokenizer().end_token() << "\n"
            << "tokenizer   " << grouped_digits(backbone->tokenizer().vocab_size())
            << " tokens from " << backbone->tokenizer().source() << "\n";
  print_preprocessing(backbone->preprocessing(), files.preprocessing_source);
  std::cout << "shared      " << shape.embed_dim << " dimensions\n"
            << "parameters  " << grouped_digits(backbone->parameter_count()) << " in "
            << backbone->weights().size() << " tensors\n"
            << "weights     " << backbone->weight_hash() << " (hash of names, shapes, numbers)\n"
            << "identity    " << clip::model_settings_hash(model) << " (hash of the settings)\n";
  return kOk;
}

int info(const Arguments& arguments) {
  Usage usage{
      "clip info",
      "MODEL [options]",
      "Loads a CLIP with all its checks and prints what it is. MODEL is a directory in the\n"
      "layout of Hugging Face or OpenCLIP or with one *.pt of OpenAI's, or such a file\n"
      "with the vocabulary beside it.",
      po::options_description("Options"),
      {"MODEL"},
      "  petlab clip info harness/backbones/petlab-icon-clip\n"
      "  petlab clip info ~/clip-vit-base-patch16\n"
      "  petlab clip info ~/.cache/clip/ViT-B-16.pt\n"};
  usage.options.add_options()("allow-unknown-weights", po::bool_switch(),
                              "load a .pt that is not an official OpenAI checkpoint");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  return print_info(options->text("MODEL"),
                    {.allow_unknown_weights = options->get<bool>("allow-unknown-weights")});
}

}  // namespace

int run_clip(const Arguments& arguments) {
  const std::vector<Command> actions = {
      {"info", "shape, parameters and weight hash of a backbone", info},
      {"embed", "features of images and texts, as CSV", run_clip_embed},
      {"classify", "which of some labels fits an image best", run_clip_classify},
  };
  return run_action("clip", actions, arguments,
                    "  petlab clip info harness/backbones/petlab-icon-clip\n"
                    "  petlab clip classify --backbone harness/backbones/petlab-icon-clip \\\n"
                    "      --image dog.jpg --labels dog,cat,mug");
}

}  // namespace petlab::app
