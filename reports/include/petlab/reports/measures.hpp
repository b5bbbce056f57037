#pragma once

#include "petlab/results/record.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Measures of one model on the test images of one domain, from its stored predictions.
namespace petlab::reports {

/// Bins of the expected calibration error.
inline constexpr int kCalibrationBins = 15;

/// How many test images of a class got an answer.
struct AnswerCount {
  std::int64_t label = 0;
  std::int64_t predicted = 0;
  std::int64_t images = 0;  // at least 1
};

/// What the predictions of a task say beside its accuracy. Fractions, 0 to 1.
struct TaskMeasures {
  /// Mean over the classes that have test images of the share of them that is classified correctly:
  /// scikit-learn's balanced_accuracy_score.
  double macro_accuracy = 0.0;
  /// Mean over classes of F1 = 2 TP / (2 TP + FP + FN), over the classes that have test images or
  /// are an answer: scikit-learn's f1_score(average="macro").
  double macro_f1 = 0.0;
  /// Expected calibration error (Guo et al. 2017): sum over bins b of |b| / n * |accuracy(b) -
  /// confidence(b)|, with 15 bins of equal width, (i / 15, (i + 1) / 15]; confidence is the
  /// probability of the predicted class.
  double calibration_error = 0.0;
  /// How far the calibration error is at most from that of the model's own probabilities: they are
  /// stored in steps of 1 / 65535. Half a step, and 2 |right - p| / n for each image whose stored p
  /// is a border of two bins, as it may belong to either.
  double calibration_error_bound = 0.0;
  /// The confusion matrix without its zeros, by label, then by answer.
  std::vector<AnswerCount> answers = {};
};

/// `predictions[i]` is of `images[i]`. Nothing where there are no images. Throws Error(internal)
/// for lists of different lengths.
std::optional<TaskMeasures> measure_task(std::span<const results::ImagePrediction> predictions,
                                         std::span<const results::TestImage> images);

}  // namespace petlab::reports
