#include "clip_features.hpp"
#include "command.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/engine/run.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace petlab::app {
namespace {

/// One line an input: what it is, its name, its length, its E numbers.
void add_rows(std::string& csv, const char* kind, const std::vector<std::string>& names,
              const ClipFeatures& features) {
  const auto values = features.unit.accessor<float, 2>();
  const auto norms = features.norms.accessor<float, 1>();
  for (std::int64_t row = 0; row < values.size(0); ++row) {
    csv.append(kind).append(",").append(datasets::csv_field(names[static_cast<std::size_t>(row)]));
    csv.append(",").append(base::number_text(norms[row]));
    for (std::int64_t i = 0; i < values.size(1); ++i)
      csv.append(",").append(base::number_text(values[row][i]));
    csv.append("\n");
  }
}

std::string table_of(const std::vector<std::string>& images, const ClipFeatures& of_images,
                     const std::vector<std::string>& texts, const ClipFeatures& of_texts,
                     std::int64_t width) {
  std::string csv = "kind,input,norm";
  for (std::int64_t i = 0; i < width; ++i)
    csv.append(",f").append(std::to_string(i));
  csv.append("\n");
  add_rows(csv, "image", images, of_images);
  add_rows(csv, "text", texts, of_texts);
  return csv;
}

void print_cosines(const std::vector<std::string>& images, const ClipFeatures& of_images,
                   const std::vector<std::string>& texts, const ClipFeatures& of_texts) {
  const at::Tensor cosines = at::matmul(of_images.unit, of_texts.unit.t());
  const auto values = cosines.accessor<float, 2>();
  std::cout << "cosine of each image with each text:\n";
  for (std::size_t i = 0; i < images.size(); ++i) {
    std::cout << images[i] << "\n";
    for (std::size_t t = 0; t < texts.size(); ++t)
      std::printf(
          "  %7.4f  %s\n",
          static_cast<double>(values[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(t)]),
          texts[t].c_str());
    std::fflush(stdout);
  }
}

std::vector<std::string> list_of(const Parsed& options, const char* name) {
  return options.has(name) ? options.get<std::vector<std::string>>(name)
                           : std::vector<std::string>();
}

}  // namespace

int run_clip_embed(const Arguments& arguments) {
  Usage usage{
      "clip embed",
      "--backbone DIR [--image FILE...] [--text TEXT...] [--out FILE.csv]",
      "Features of images and texts in the space that both share.\n\n"
      "Images go through CLIP's preprocessing (bicubic, shorter side to size, centre\n"
      "crop, normalise). Texts are taken as they are: no template is put around them.\n"
      "The result is CSV, one line an input: kind (image or text), input, norm, and f0,\n"
      "f1, ...: the feature divided by its norm, so that the sum of products of two\n"
      "lines is their cosine. Numbers read back as the same floats. Times norm it is\n"
      "what transformers' get_image_features and get_text_features give.\n"
      "Without --out the CSV goes to the standard output. With --out the file is written\n"
      "whole or not at all, and the cosines of images with texts are printed.",
      po::options_description("Options"),
      {},
      "  petlab clip embed --backbone clip-vit-base-patch16 --image dog.jpg cat.png \\\n"
      "      --text \"a photo of a dog.\" \"a photo of a cat.\" --out features.csv\n"
      "  petlab clip embed --backbone clip-vit-base-patch16 --image photos/*.jpg >features.csv\n"};
  usage.options.add_options()("backbone", text_value(),
                              "folder of the CLIP model, or its file of weights")(
      "allow-unknown-weights", po::bool_switch(),
      "load a .pt that is not an official OpenAI checkpoint")("image", texts_value()->multitoken(),
                                                              "image files, one or more")(
      "text", texts_value()->multitoken(), "texts, one or more, each in quotes")(
      "out", text_value(), "CSV file to write")("device", text_value()->default_value("cpu"),
                                                "cpu or cuda");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (!options->has("backbone"))
    throw base::Error(base::ErrorKind::config,
                      "petlab clip embed needs --backbone DIR, the folder of a CLIP model");
  const std::vector<std::string> images = list_of(*options, "image");
  const std::vector<std::string> texts = list_of(*options, "text");
  if (images.empty() && texts.empty())
    throw base::Error(base::ErrorKind::config,
                      "petlab clip embed needs something to embed: --image FILE or --text TEXT");

  const auto backbone =
      clip::Backbone::load(options->text("backbone"), engine::parse_device(options->text("device")),
                           {.allow_unknown_weights = options->get<bool>("allow-unknown-weights")});
  const ClipFeatures of_images = image_features(*backbone, images);
  const ClipFeatures of_texts = text_features(*backbone, texts);
  const std::int64_t width = backbone->shape().embed_dim;
  const std::string csv = table_of(images, of_images, texts, of_texts, width);
  if (!options->has("out")) {
    std::cout << csv;
    return kOk;
  }
  base::write_file(options->text("out"), csv,
                   {.durability = base::Durability::process, .failure = base::ErrorKind::config});
  if (!images.empty() && !texts.empty()) print_cosines(images, of_images, texts, of_texts);
  std::cout << images.size() << " images and " << texts.size() << " texts, " << width
            << " numbers each, in " << options->text("out") << "\n";
  return kOk;
}

}  // namespace petlab::app
