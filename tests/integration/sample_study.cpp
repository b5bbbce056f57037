#include "sample_study.hpp"

#include "petlab/clip/backbone.hpp"
#include "petlab/datasets/image.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <random>
#include <utility>
#include <vector>

namespace petlab::tests {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string> kDomains = {"Art", "Photo", "Sketch"};
const std::vector<std::string> kClasses = {"alarm_clock", "bed", "kettle", "mug"};

/// A shape whose form and colour are the class's and whose background is the domain's.
datasets::Image picture(std::size_t domain, std::size_t label, std::mt19937& random) {
  datasets::Image image;
  image.width = 40 + static_cast<int>(random() % 17);
  image.height = 36 + static_cast<int>(random() % 21);
  const int cx = image.width / 2 + static_cast<int>(random() % 7) - 3;
  const int cy = image.height / 2 + static_cast<int>(random() % 7) - 3;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const int dx = std::abs(x - cx), dy = std::abs(y - cy);
      const bool inside = label == 0   ? dx * dx + dy * dy < 120
                          : label == 1 ? dx < 15 && dy < 6
                          : label == 2 ? dx + dy < 13
                                       : dx < 6 && dy < 14;
      for (std::size_t channel = 0; channel < 3; ++channel) {
        int value = domain == 2 ? 240 : static_cast<int>(60 + 60 * domain + 20 * channel);
        if (inside) value = domain == 2 ? 20 : (channel == label % 3 ? 220 : 40);
        value += static_cast<int>(random() % 31) - 15;
        image.rgb.push_back(static_cast<std::uint8_t>(std::clamp(value, 0, 255)));
      }
    }
  return image;
}

}  // namespace

void write_pictures(const fs::path& root, int per_class) {
  std::mt19937 random(7);
  for (std::size_t domain = 0; domain < kDomains.size(); ++domain)
    for (std::size_t label = 0; label < kClasses.size(); ++label) {
      const fs::path folder = root / kDomains[domain] / kClasses[label];
      fs::create_directories(folder);
      for (int i = 0; i < per_class; ++i) {
        const datasets::Image image = picture(domain, label, random);
        const bool jpeg = i % 2 == 0;
        const auto bytes = jpeg ? datasets::encode_jpeg(image, 90) : datasets::encode_png(image);
        std::ofstream out(folder / ("picture" + std::to_string(i) + (jpeg ? ".jpg" : ".png")),
                          std::ios::binary);
        out.write(reinterpret_cast<const char*>(bytes.data()),
                  static_cast<std::streamsize>(bytes.size()));
      }
    }
}

void write_backbone(const fs::path& folder) {
  fs::create_directories(folder);
  const std::vector<std::pair<std::string, std::int64_t>> texts = {
      {"a photo of an alarm clock.", 9},
      {"a photo of a bed.", 9},
      {"a photo of a kettle.", 9},
      {"a photo of a mug.", 9}};
  constexpr std::int64_t kContext = 40;
  clip::train_tokenizer(texts, /*vocab_size=*/530, kContext, folder);
  clip::Tokenizer tokenizer = clip::Tokenizer::load(folder);

  clip::Config config;
  config.shape.vision = {.layers = 2, .width = 32, .heads = 2, .mlp_width = 64};
  config.shape.text = {.layers = 2, .width = 32, .heads = 2, .mlp_width = 64};
  config.shape.embed_dim = 24;
  config.shape.image_size = 32;
  config.shape.patch_size = 8;
  config.shape.context_length = kContext;
  config.vocab_size = tokenizer.vocab_size();
  config.bos_token_id = tokenizer.start_token();
  config.eos_token_id = tokenizer.end_token();
  clip::Preprocessing preprocessing;
  preprocessing.image_size = 32;
  at::Generator generator = at::detail::createCPUGenerator(/*seed=*/3);
  clip::Backbone::random(config, std::move(tokenizer), preprocessing, generator)
      ->save(folder, folder, at::kFloat);
}

Workshop::Workshop() {
  static int count = 0;
  folder_ = fs::temp_directory_path() /
            ("petlab_workshop_" + std::to_string(::getpid()) + "_" + std::to_string(++count));
  fs::create_directories(folder_);
  write_pictures(folder_ / "pictures", 8);
  write_backbone(folder_ / "clip");
}

Workshop::~Workshop() {
  fs::remove_all(folder_);
}

std::string Workshop::write_study(const std::string& rows, const std::string& train) const {
  const fs::path file = folder_ / "study.ini";
  std::ofstream(file) << "[study]\nname = small\nseeds = 1,2\n"
                      << "[dataset]\nname = folder\nroot = pictures\ntrain-fraction = 0.4\n"
                      << "[backbone]\ndir = clip\n[train]\n"
                      << train << "\n"
                      << rows;
  return file.string();
}

}  // namespace petlab::tests
