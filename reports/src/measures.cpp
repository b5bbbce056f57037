#include "petlab/reports/measures.hpp"

#include "petlab/base/error.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

namespace petlab::reports {
namespace {

// What the store rounds probabilities to. A bin of the calibration error is a whole number of steps
// wide, so that the borders of bins are exact.
constexpr std::int64_t kSteps = 65535;
constexpr std::int64_t kBinSteps = kSteps / kCalibrationBins;
static_assert(kBinSteps * kCalibrationBins == kSteps);

struct ClassCounts {
  std::int64_t images = 0;   // that are of the class
  std::int64_t answers = 0;  // that say so
  std::int64_t right = 0;
};

struct Bin {
  double right = 0.0;
  double confidence = 0.0;
};

void add_calibration(std::span<const results::ImagePrediction> predictions,
                     std::span<const results::TestImage> images, TaskMeasures& measures) {
  std::array<Bin, kCalibrationBins> bins{};
  const auto n = static_cast<double>(images.size());
  measures.calibration_error_bound = 0.5 / static_cast<double>(kSteps);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const double right = predictions[i].predicted == images[i].label ? 1.0 : 0.0;
    const double probability = predictions[i].probability;
    const std::int64_t steps = std::llround(probability * static_cast<double>(kSteps));
    const std::int64_t bin = steps == 0 ? 0 : (steps - 1) / kBinSteps;
    bins.at(static_cast<std::size_t>(bin)).right += right;
    bins.at(static_cast<std::size_t>(bin)).confidence += probability;
    if (steps % kBinSteps == 0 && steps != 0 && steps != kSteps)
      measures.calibration_error_bound += 2.0 * std::abs(right - probability) / n;
  }
  for (const Bin& bin : bins)
    measures.calibration_error += std::abs(bin.right - bin.confidence) / n;
}

}  // namespace

std::optional<TaskMeasures> measure_task(std::span<const results::ImagePrediction> predictions,
                                         std::span<const results::TestImage> images) {
  if (predictions.size() != images.size())
    throw base::Error(base::ErrorKind::internal,
                      std::to_string(predictions.size()) + " predictions of " +
                          std::to_string(images.size()) + " test images");
  if (images.empty()) return std::nullopt;
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> pairs;
  for (std::size_t i = 0; i < images.size(); ++i)
    ++pairs[{images[i].label, predictions[i].predicted}];
  TaskMeasures measures;
  std::map<std::int64_t, ClassCounts> classes;
  for (const auto& [pair, count] : pairs) {
    const auto& [label, predicted] = pair;
    measures.answers.push_back({label, predicted, count});
    classes[label].images += count;
    classes[predicted].answers += count;
    if (label == predicted) classes[label].right += count;
  }
  double with_images = 0.0;
  for (const auto& [label, counts] : classes) {
    const auto right = static_cast<double>(counts.right);
    measures.macro_f1 += 2.0 * right / static_cast<double>(counts.images + counts.answers);
    if (counts.images == 0) continue;
    with_images += 1.0;
    measures.macro_accuracy += right / static_cast<double>(counts.images);
  }
  measures.macro_accuracy /= with_images;
  measures.macro_f1 /= static_cast<double>(classes.size());
  add_calibration(predictions, images, measures);
  return measures;
}

}  // namespace petlab::reports
