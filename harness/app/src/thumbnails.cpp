#include "thumbnails.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/dataset_hash.hpp"
#include "petlab/datasets/image.hpp"
#include "petlab/datasets/resize.hpp"
#include "petlab/datasets/stored_picture.hpp"
#include "petlab/engine/dataset_choice.hpp"
#include "stored_run.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace petlab::app {
namespace {

constexpr int kSide = 64;
constexpr std::size_t kShownDigits = 12;

datasets::Image shrunk(const datasets::Image& image) {
  const int longer = std::max(image.width, image.height);
  if (longer <= kSide) return image;
  const auto side = [&](int pixels) {
    return std::max(1, static_cast<int>(std::lround(static_cast<double>(pixels) * kSide / longer)));
  };
  return datasets::resize_bicubic(image, side(image.width), side(image.height));
}

[[noreturn]] void refuse(const std::string& why) {
  base::throw_data_error("--images: " + why);
}

}  // namespace

struct Thumbnails::Images {
  std::filesystem::path root;
  datasets::Dataset dataset;
  std::vector<const datasets::Sample*> samples;
  std::map<std::pair<std::string, std::string>, std::size_t> places;  ///< by domain and id

  [[nodiscard]] std::string thumbnail(const std::string& domain, const std::string& id) const {
    const std::size_t place = places.at({domain, id});
    const auto png = datasets::encode_png(
        shrunk(datasets::decode_picture(*samples[place], dataset.digests[place])));
    return {png.begin(), png.end()};
  }
};

std::shared_ptr<const Thumbnails::Images> Thumbnails::open(const reports::Report& report) const {
  const std::string study = "study '" + base::escaped(report.study) + "'";
  if (report.protocol.empty())
    refuse("the store does not say where the images of " + study + " are");
  std::vector<study::Setting> overrides;
  if (!root_.empty()) overrides.push_back({"dataset.root", root_, "--dataset-root", ""});
  const study::Protocol protocol = stored_protocol(report.protocol, overrides);

  const auto images = std::make_shared<Images>();
  images->root = protocol.dataset.root;
  std::error_code ignored;
  if (!std::filesystem::exists(images->root, ignored))
    refuse("the images of " + study + " are not on this machine: " + base::printable(images->root) +
           " does not exist; say where they are with --dataset-root DIR");
  images->dataset = engine::open_study_dataset(protocol.dataset);
  for (const datasets::Domain& domain : images->dataset.domains)
    for (const datasets::Sample& sample : domain.samples) {
      images->places.emplace(std::pair(domain.name, sample.id), images->samples.size());
      images->samples.push_back(&sample);
    }
  return images;
}

reports::Thumbnail Thumbnails::of(const reports::Report& report) {
  std::shared_ptr<const Images> images;
  for (const results::SplitRecord& split : report.splits) {
    const results::DatasetRecord& tested = split.dataset;
    auto known = known_.find(tested.hash);
    if (known == known_.end()) {
      images = open(report);
      const std::string found = datasets::dataset_hash(images->dataset);
      if (found != tested.hash)
        refuse("the images in " + base::printable(images->root) + " are not those that study '" +
               base::escaped(report.study) + "' was tested on (hash " +
               found.substr(0, kShownDigits) + ", tested " + tested.hash.substr(0, kShownDigits) +
               "); say where those are with --dataset-root DIR");
      known = known_.emplace(tested.hash, images).first;
    }
    images = known->second;
  }
  // Without splits there is nothing that was tested, and nobody asks.
  return [images](const std::string& task, const std::string& sample_id) {
    return images->thumbnail(task, sample_id);
  };
}

}  // namespace petlab::app
