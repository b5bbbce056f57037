#include "petlab/reports/bootstrap.hpp"

#include "petlab/base/error.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::reports {
namespace {

using Images = std::vector<ImagePair>;

double resampled_difference(const Images& images, SplitMix64& random) {
  const auto n = static_cast<std::uint32_t>(images.size());
  std::int64_t difference = 0;
  std::int64_t seeds = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    const ImagePair& image = images[random.below(n)];
    difference += image.difference;
    seeds += image.seeds;
  }
  return static_cast<double>(difference) / static_cast<double>(seeds);
}

double difference_of(const Images& images) {
  std::int64_t difference = 0;
  std::int64_t seeds = 0;
  for (const ImagePair& image : images) {
    difference += image.difference;
    seeds += image.seeds;
  }
  return static_cast<double>(difference) / static_cast<double>(seeds);
}

// Linear between neighbours, as numpy.percentile.
double percentile(const std::vector<double>& sorted, double fraction) {
  const double place = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
}

}  // namespace

BootstrapInterval paired_bootstrap(const std::vector<std::vector<ImagePair>>& tasks, int resamples,
                                   std::uint64_t seed) {
  BootstrapInterval result;
  result.resamples = resamples;
  std::vector<const Images*> filled;
  for (const Images& images : tasks) {
    if (images.empty()) continue;
    filled.push_back(&images);
    result.images += static_cast<int>(images.size());
    result.mean += difference_of(images);
  }
  if (filled.empty() || resamples < 1)
    throw base::Error(base::ErrorKind::internal, "a bootstrap of no images or without resamples");
  const auto count = static_cast<double>(filled.size());
  result.mean /= count;

  SplitMix64 random(seed);
  std::vector<double> means;
  means.reserve(static_cast<std::size_t>(resamples));
  for (int i = 0; i < resamples; ++i) {
    double sum = 0.0;
    for (const Images* images : filled)
      sum += resampled_difference(*images, random);
    means.push_back(sum / count);
  }
  std::sort(means.begin(), means.end());
  result.low = percentile(means, 0.025);
  result.high = percentile(means, 0.975);
  return result;
}

}  // namespace petlab::reports
