#include "petlab/datasets/tools/duplicates.hpp"

#include "parallel.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/datasets/csv.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <numeric>

namespace petlab::datasets::tools {
namespace {

struct Fingerprint {
  Shape shape{};
  std::array<std::uint8_t, 32> pixels{};
};

Fingerprint fingerprint_of(const Image& image) {
  base::Sha256 hash;
  hash.update_text(std::to_string(image.width) + "x" + std::to_string(image.height));
  hash.update(image.rgb);
  return {shape_of(image), hash.finish()};
}

/// In eight partial sums, which the compiler turns into vector instructions.
float dot_product(const Shape& a, const Shape& b) {
  constexpr std::size_t kLanes = 8;
  std::array<float, kLanes> sums{};
  for (std::size_t k = 0; k < a.size(); k += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      sums[lane] += a[k + lane] * b[k + lane];
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0F);
}

}  // namespace

Shape shape_of(const Image& image) {
  Shape sums{};
  Shape counts{};
  const auto width = static_cast<std::size_t>(image.width);
  const auto height = static_cast<std::size_t>(image.height);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::uint8_t* p = &image.rgb[(y * width + x) * 3];
      const std::size_t cell = y * kShapeGrid / height * kShapeGrid + x * kShapeGrid / width;
      sums[cell] += 0.299F * p[0] + 0.587F * p[1] + 0.114F * p[2];
      counts[cell] += 1;
    }
  }
  Shape shape{};
  double mean = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    shape[i] = counts[i] > 0 ? sums[i] / counts[i] : 255.0F;
    mean += shape[i];
  }
  mean /= static_cast<double>(shape.size());
  double square = 0;
  for (float& v : shape) {
    v -= static_cast<float>(mean);
    square += static_cast<double>(v) * v;
  }
  const auto scale = static_cast<float>(square > 1e-6 ? 1.0 / std::sqrt(square) : 0.0);
  for (float& v : shape)
    v *= scale;
  return shape;
}

std::vector<DuplicatePair> find_duplicates(const Dataset& dataset, double threshold,
                                           unsigned threads) {
  struct Item {
    const Sample* sample;
    std::size_t domain;
  };
  std::vector<Item> items;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    for (const auto& sample : dataset.domains[d].samples)
      items.push_back({&sample, d});
  }
  std::sort(items.begin(), items.end(),
            [](const Item& a, const Item& b) { return a.sample->id < b.sample->id; });
  std::vector<Fingerprint> prints(items.size());
  parallel_for(items.size(), threads, [&](std::size_t i) {
    prints[i] = fingerprint_of(decode_image(items[i].sample->file));
  });

  std::vector<DuplicatePair> pairs;
  std::mutex mutex;
  parallel_for(items.size(), threads, [&](std::size_t i) {
    std::vector<DuplicatePair> found;
    for (std::size_t j = i + 1; j < items.size(); ++j) {
      const Shape& a = prints[i].shape;
      const Shape& b = prints[j].shape;
      const float dot = dot_product(a, b);
      const bool identical = prints[i].pixels == prints[j].pixels;
      if (!identical && static_cast<double>(dot) < threshold) continue;
      found.push_back({.first = items[i].sample->id,
                       .second = items[j].sample->id,
                       .identical = identical,
                       .correlation = identical ? 1.0 : static_cast<double>(dot),
                       .across_domains = items[i].domain != items[j].domain,
                       .across_classes = items[i].sample->label != items[j].sample->label});
    }
    const std::lock_guard lock(mutex);
    pairs.insert(pairs.end(), found.begin(), found.end());
  });
  std::sort(pairs.begin(), pairs.end(), [](const DuplicatePair& a, const DuplicatePair& b) {
    return std::tie(a.first, a.second) < std::tie(b.first, b.second);
  });
  return pairs;
}

void write_duplicates(const std::filesystem::path& file, const std::vector<DuplicatePair>& pairs) {
  std::string text = "first,second,kind,correlation,scope\n";
  for (const auto& pair : pairs) {
    char correlation[16];
    std::snprintf(correlation, sizeof(correlation), "%.4f", pair.correlation);
    text += csv_field(pair.first) + "," + csv_field(pair.second) + "," +
            (pair.identical ? "identical" : "near") + "," + correlation + "," +
            (pair.across_domains ? "other domain" : "same domain") +
            (pair.across_classes ? " other class" : " same class") + "\n";
  }
  base::write_file(file, text, {.make_folders = true});
}

}  // namespace petlab::datasets::tools
