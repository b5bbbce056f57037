#include "petlab/reports/measures.hpp"

#include "petlab/base/error.hpp"
#include "petlab/reports/bootstrap.hpp"
#include "petlab/reports/render.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace petlab::reports {
namespace {

namespace records = results::sample;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct Case {
  std::vector<results::ImagePrediction> predictions;
  std::vector<results::TestImage> images;

  void add(std::int64_t label, std::int64_t predicted, double probability) {
    images.push_back({"image " + std::to_string(images.size()), label});
    predictions.push_back({predicted, probability});
  }
  TaskMeasures measures() const { return *measure_task(predictions, images); }
};

// As the store keeps a probability.
double stored(double probability) {
  return std::round(probability * 65535.0) / 65535.0;
}

// Ten images of classes 0 to 3; class 4 is an answer only. By hand: recalls 2/3, 1/2, 3/4, 1; F1
// 4/6, 2/4, 6/7, 1 and 0. scikit-learn 1.9.1 gives the same for balanced_accuracy_score and
// f1_score(average="macro"); the calibration error is numpy's with the borders numpy.arange(16) *
// 4369 / 65535.
TEST(Measures, AreThoseOfScikitLearn) {
  Case one;
  const std::vector<std::int64_t> labels = {0, 0, 0, 1, 1, 2, 2, 2, 2, 3};
  const std::vector<std::int64_t> answers = {0, 0, 1, 1, 4, 2, 2, 0, 2, 3};
  const std::vector<double> probabilities = {0.9, 0.6, 0.55, 0.4, 0.31, 0.99, 0.8, 0.72, 0.2, 0.05};
  for (std::size_t i = 0; i < labels.size(); ++i)
    one.add(labels[i], answers[i], stored(probabilities[i]));
  const TaskMeasures measures = one.measures();
  EXPECT_NEAR(measures.macro_accuracy, (2.0 / 3 + 0.5 + 0.75 + 1.0) / 4, 1e-15);
  EXPECT_NEAR(measures.macro_accuracy, 0.7291666666666666, 1e-12);
  EXPECT_NEAR(measures.macro_f1, (4.0 / 6 + 2.0 / 4 + 6.0 / 7 + 1.0 + 0.0) / 5, 1e-15);
  EXPECT_NEAR(measures.macro_f1, 0.6047619047619047, 1e-12);
  EXPECT_NEAR(measures.calibration_error, 0.3839978637369345, 1e-12);
}

TEST(Measures, AMeanOverClassesIsNotTheAccuracyWhereClassesDifferInSize) {
  Case rare;  // nine of ten right, but nothing of the rare class
  for (int i = 0; i < 9; ++i)
    rare.add(0, 0, 1.0);
  rare.add(1, 0, 1.0);
  EXPECT_NEAR(rare.measures().macro_accuracy, 0.5, 1e-15);
  EXPECT_NEAR(rare.measures().macro_f1, 0.5 * 18.0 / 19.0, 1e-15);
  EXPECT_NEAR(rare.measures().calibration_error, 0.1, 1e-12);
}

TEST(Measures, CalibrationErrorByHand) {
  Case one;
  // Bin (8/15, 9/15]: two images, one right, confidence 0.55; bin (14/15, 1]: both right, 0.95.
  one.add(0, 0, 0.54);
  one.add(0, 1, 0.56);
  one.add(1, 1, 0.94);
  one.add(1, 1, 0.96);
  EXPECT_NEAR(one.measures().calibration_error, 0.5 * 0.05 + 0.5 * 0.05, 1e-12);
  EXPECT_NEAR(one.measures().calibration_error_bound, 0.5 / 65535, 1e-15);
}

TEST(Measures, ABorderBelongsToTheBinBelow) {
  Case one;
  one.add(0, 0, 4369.0 / 65535.0);      // 1 / 15, right: bin 1 of 15
  one.add(0, 1, 4370.0 / 65535.0);      // a step more, wrong: bin 2
  const double low = 1.0 - 1.0 / 15.0;  // what the bins are off
  const double high = 4370.0 / 65535.0;
  EXPECT_NEAR(one.measures().calibration_error, 0.5 * (low + high), 1e-12);
  EXPECT_NEAR(one.measures().calibration_error_bound, 0.5 / 65535 + 2.0 * low / 2.0, 1e-12);
  Case ends;
  ends.add(0, 0, 1.0);
  ends.add(0, 1, 0.0);
  EXPECT_NEAR(ends.measures().calibration_error, 0.0, 1e-15);
  EXPECT_NEAR(ends.measures().calibration_error_bound, 0.5 / 65535, 1e-15);
}

double calibration_error_of(const Case& one) {
  double error = 0.0;
  for (int bin = 0; bin < 15; ++bin) {
    double off = 0.0;
    for (std::size_t i = 0; i < one.images.size(); ++i) {
      const double p = one.predictions[i].probability;
      const bool inside = p > bin / 15.0 && p <= (bin + 1) / 15.0;
      if (inside) off += (one.predictions[i].predicted == one.images[i].label ? 1.0 : 0.0) - p;
    }
    error += std::abs(off) / static_cast<double>(one.images.size());
  }
  return error;
}

TEST(Measures, TheBoundHoldsTheErrorOfTheProbabilitiesBeforeTheyWereStored) {
  SplitMix64 random(9);
  double widest = 0.0;
  int on_a_border = 0;
  for (int repeat = 0; repeat < 400; ++repeat) {
    Case exact;
    for (int i = 0; i < 40; ++i) {
      // Every third lies near a border, on either side of it.
      const double border = (1.0 + std::floor(14.0 * random.unit())) / 15.0;
      const double p = i % 3 == 0 ? border + (random.unit() - 0.5) * 1e-5 : random.unit();
      exact.add(0, random.unit() < p ? 0 : 1, p);
    }
    Case kept = exact;
    for (auto& prediction : kept.predictions)
      prediction.probability = stored(prediction.probability);
    const TaskMeasures measures = kept.measures();
    const double off = std::abs(measures.calibration_error - calibration_error_of(exact));
    EXPECT_LE(off, measures.calibration_error_bound);
    on_a_border += off > 1e-3 ? 1 : 0;
    widest = std::max(widest, off);
  }
  EXPECT_GT(on_a_border, 20);  // half a step alone would not do
  EXPECT_GT(widest, 0.01);
}

TEST(Measures, AreNothingWithoutImagesAndAnErrorForListsThatDoNotFit) {
  EXPECT_FALSE(measure_task({}, {}).has_value());
  Case one;
  one.add(0, 0, 1.0);
  EXPECT_THROW((void)measure_task(one.predictions, {}), base::Error);
}

class MeasureTableTest : public testing::Test {
 protected:
  records::TemporaryFolder folder_;
  results::RunStore store_ = sample::demo_store(folder_ / "demo.sqlite");

  static std::string text_of(const Report& report) {
    std::ostringstream out;
    print_table(out, report);
    return out.str();
  }
  std::string file(const std::string& name) const {
    std::ifstream in(folder_ / name);
    EXPECT_TRUE(in) << name;
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

// Row 'zero-shot': the worst domain is 'emoji' with 3, 4 and 3 right answers of 10. Right answers
// have probability 0.9, wrong ones 0.4; a run with k of 10 right is off by 0.1 k / 10 + 0.4 (10 -
// k) / 10. The loss of each task is 0.5.
TEST_F(MeasureTableTest, ARowHasTheMeansOfItsSeeds) {
  const Report report = build_report(store_, "demo");
  const Row& row = report.rows[0];
  EXPECT_NEAR(row.measures.at("worst_domain_accuracy").mean, (0.3 + 0.4 + 0.3) / 3, 1e-12);
  EXPECT_EQ(row.measures.at("worst_domain_accuracy").n, 3);
  EXPECT_THAT(row.worst_domains, ElementsAre("emoji"));
  const auto off = [](double right) { return 0.01 * right + 0.04 * (10 - right); };
  const double calibration = (off(5) + off(3) + off(5) + off(4) + off(6) + off(3)) / 6;
  EXPECT_NEAR(row.measures.at("calibration_error").mean, calibration, 1e-5);
  // 0.4 is a border of two bins, 6 / 15, so each of the 34 wrong answers of 60 may be in either.
  EXPECT_NEAR(*row.calibration_error_bound, 0.5 / 65535 + 2.0 * 0.4 * 34 / 60, 1e-9);
  EXPECT_NEAR(row.measures.at("negative_log_likelihood").mean, 0.5, 1e-15);
  EXPECT_NEAR(*row.train_flops, 1.5e9, 1.0);
  EXPECT_EQ(*row.peak_host_bytes, 2 << 20);
  EXPECT_EQ(*row.peak_device_bytes, std::int64_t{1} << 33);
  EXPECT_EQ(row.learning_rate, std::pair(0.002, 0.002));
  EXPECT_EQ(row.epochs, std::pair(std::int64_t{2}, std::int64_t{2}));
  EXPECT_FALSE(row.steps.has_value());  // the sample's runs did not count them
}

TEST_F(MeasureTableTest, ColumnsAreShownWhereTheyAreAskedForAndAlwaysInFilesForPrograms) {
  Report report = build_report(store_, "demo");
  const std::string plain = text_of(report);
  EXPECT_THAT(plain, Not(HasSubstr("ECE")));
  EXPECT_THAT(plain, HasSubstr("learning rate"));
  report.columns = optional_columns();
  EXPECT_THAT(report.columns,
              ElementsAre("worst_domain_accuracy", "macro_accuracy", "macro_f1",
                          "calibration_error", "negative_log_likelihood", "train_flops",
                          "step_flops", "image_flops", "peak_host_bytes", "peak_device_bytes"));
  const std::string full = text_of(report);
  write_report(report, folder_ / "out",
               {Format::markdown, Format::csv, Format::latex, Format::html});
  for (const std::string& text :
       {full, file("out/report.md"), file("out/table.tex"), file("out/report.html")}) {
    for (const char* title : {"worst domain", "macro accuracy", "macro F1", "ECE", "NLL",
                              "a test image", "peak host", "learning rate", "epochs"})
      EXPECT_THAT(text, HasSubstr(title));
    EXPECT_THAT(text, HasSubstr("0.5000"));
    EXPECT_THAT(text, HasSubstr("1.50 GFLOPs"));
    EXPECT_THAT(text, HasSubstr("at most 45.3 points"));
  }
  report.columns.clear();
  write_report(report, folder_ / "plain", {Format::csv});
  EXPECT_EQ(file("out/table.csv"), file("plain/table.csv"));
  EXPECT_THAT(file("plain/table.csv"), HasSubstr(",macro_f1,macro_f1_half_width_95,macro_f1_n,"));
  EXPECT_THAT(file("plain/runs.csv"), HasSubstr(",macro_accuracy,macro_f1,calibration_error,"));
}

TEST_F(MeasureTableTest, WithoutTimesThereIsNoMemory) {
  Report report = build_report(store_, "demo");
  report.columns = optional_columns();
  leave_out_times(report);
  EXPECT_THAT(text_of(report), Not(HasSubstr("peak")));
  EXPECT_THAT(text_of(report), HasSubstr("1.50 GFLOPs"));
}

TEST_F(MeasureTableTest, RunsWithoutStoredPredictionsInTheReportHaveTheirMeasuresAllTheSame) {
  const Report all = build_report(store_, "demo");
  const Report few = build_report(store_, "demo", /*most_predictions=*/20);
  EXPECT_TRUE(few.rows[1].seeds[1].tasks[0].predictions.empty());
  for (std::size_t i = 0; i < all.rows.size(); ++i)
    for (const auto& [name, value] : all.rows[i].measures)
      EXPECT_EQ(value.mean, few.rows[i].measures.at(name).mean) << name;
}

}  // namespace
}  // namespace petlab::reports
