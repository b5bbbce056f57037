#include "clip_features.hpp"
#include "clip_runs.hpp"
#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/engine/run.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <set>

namespace petlab::app {
namespace {

/// "a, b c,d" -> a | b c | d.
std::vector<std::string> read_labels(const std::string& list) {
  std::vector<std::string> labels;
  std::set<std::string> seen;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string label = list.substr(begin, end - begin);
    const auto first = label.find_first_not_of(" \t");
    label = first == std::string::npos
                ? ""
                : label.substr(first, label.find_last_not_of(" \t") - first + 1);
    if (label.empty())
      base::throw_config_error("--labels '" + list +
                               "' has an empty label, expected names with commas between");
    if (!seen.insert(label).second)
      base::throw_config_error("--labels names '" + label + "' twice");
    labels.push_back(std::move(label));
    begin = end + 1;
  }
  return labels;
}

std::vector<std::string> fill_template(const std::string& text,
                                       const std::vector<std::string>& labels) {
  const std::size_t gap = text.find("{}");
  if (gap == std::string::npos || text.find("{}", gap + 2) != std::string::npos)
    base::throw_config_error(
        "--template '" + text +
        "' must hold {} once, where the label goes, as in \"a photo of a {}.\"");
  std::vector<std::string> texts;
  for (const std::string& label : labels)
    texts.push_back(std::string(text).replace(gap, 2, label));
  return texts;
}

/// One line a label, the most probable first.
void print_ranking(const std::string& image, const std::vector<std::string>& labels,
                   const at::Tensor& probabilities, const at::Tensor& cosines, std::size_t top) {
  const at::Tensor order = probabilities.argsort(/*stable=*/true, /*dim=*/0, /*descending=*/true);
  std::printf("%s\n", image.c_str());
  for (std::size_t rank = 0; rank < std::min(top, labels.size()); ++rank) {
    const auto label = order[static_cast<std::int64_t>(rank)].item<std::int64_t>();
    std::printf("  %6.2f %%  cosine %7.4f  %s\n", 100.0 * probabilities[label].item<double>(),
                cosines[label].item<double>(), labels[static_cast<std::size_t>(label)].c_str());
  }
}

}  // namespace

int run_clip_classify(const Arguments& arguments) {
  Usage usage{
      "clip classify",
      "--run RUN... --store FILE IMAGE... | --backbone DIR --labels a,b,c IMAGE...",
      "Classification of images: with the adapters of finished runs, or zero-shot.\n\n"
      "With --run, each image is classified as the run classified its test images, with its\n"
      "classes; several runs stand side by side. A run that treats its tasks each in its own way\n"
      "needs --task.\n\n"
      "Without, zero-shot: which label fits a image best.\n"
      "Each label goes into the template; image and texts are embedded, and a softmax\n"
      "over the scaled cosines gives the probabilities. They add up to 100 % over the\n"
      "labels that were named: a label that fits nothing at all still gets its share.",
      po::options_description("Options"),
      {"PICTURE..."},
      "  petlab clip classify --backbone clip-vit-base-patch16 --image dog.jpg \\\n"
      "      --labels \"dog,cat,alarm clock\"\n"
      "  petlab clip classify --backbone clip-vit-base-patch16 --image scans/*.png --top 3 \\\n"
      "      --labels dog,cat,mug,bed --template \"a sketch of a {}.\"\n"
      "  petlab clip classify --run 1bc4700f8e0b --run 77a0 --store results/demo.sqlite \\\n"
      "      --task emoji --format csv *.png\n"};
  usage.positional_optional = true;
  usage.options.add_options()("backbone", text_value(),
                              "folder of the CLIP model, or its file of weights")(
      "allow-unknown-weights", po::bool_switch(),
      "load a .pt that is not an official OpenAI checkpoint")("image", texts_value()->multitoken(),
                                                              "image files, one or more, as IMAGE")(
      "run", texts_value(), "beginning of a run's identity; may be repeated")(
      "store", text_value(), "results database of the runs")(
      "task", text_value(), "task of the runs as which the images are classified")(
      "format", text_value()->default_value("text"), "with --run: text, csv or json")(
      "labels", text_value(), "names with commas between; quote the list if it has spaces")(
      "template", text_value()->default_value("a photo of a {}."),
      "text around a label, which goes where {} stands")("top", po::value<int>()->default_value(5),
                                                         "labels to print for each image")(
      "device", text_value()->default_value("cpu"), "cpu or cuda");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  std::vector<std::string> images;
  for (const char* name : {"PICTURE", "image"})
    if (options->has(name))
      for (const std::string& file : options->get<std::vector<std::string>>(name))
        images.push_back(file);
  if (images.empty())
    base::throw_config_error("petlab clip classify needs --image FILE, an image or several");
  const int top = options->get<int>("top");
  if (top < 1)
    base::throw_config_error("--top is " + std::to_string(top) + ", expected at least 1");
  if (options->has("run"))
    return classify_with_runs(
        *options, images,
        options->has("labels") ? read_labels(options->text("labels")) : std::vector<std::string>{});
  for (const char* name : {"store", "task"})
    if (options->has(name) && options->from_environment.count(name) == 0)
      base::throw_config_error(std::string("--") + name + " belongs to --run");
  if (options->text("format") != "text") base::throw_config_error("--format belongs to --run");
  if (!options->has("backbone"))
    base::throw_config_error(
        "petlab clip classify needs --backbone DIR, the folder of a CLIP model");
  if (!options->has("labels"))
    base::throw_config_error(
        "petlab clip classify needs --labels, the names to choose from, e.g. --labels dog,cat");
  const std::vector<std::string> labels = read_labels(options->text("labels"));
  const std::vector<std::string> texts = fill_template(options->text("template"), labels);
  const auto backbone =
      clip::Backbone::load(options->text("backbone"), engine::parse_device(options->text("device")),
                           {.allow_unknown_weights = options->get<bool>("allow-unknown-weights")});
  const ClipFeatures of_images = image_features(*backbone, images);
  const ClipFeatures of_texts = text_features(*backbone, texts);
  const at::Tensor cosines = at::matmul(of_images.unit, of_texts.unit.t());
  const at::Tensor scores = cosines * backbone->logit_scale().detach().to(at::kCPU);
  for (std::size_t i = 0; i < images.size(); ++i)
    require_finite_scores(scores[static_cast<std::int64_t>(i)], images[i]);
  const at::Tensor probabilities = at::softmax(scores, /*dim=*/-1);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    print_ranking(images[i], labels, probabilities[row], cosines[row],
                  static_cast<std::size_t>(top));
  }
  return kOk;
}

}  // namespace petlab::app
