#pragma once

#include "petlab/reports/best.hpp"
#include "petlab/reports/measures.hpp"
#include "petlab/reports/note.hpp"
#include "petlab/reports/ranks.hpp"
#include "petlab/reports/shown_images.hpp"
#include "petlab/reports/statistics.hpp"
#include "petlab/results/run_store.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What a report says, as plain data. All statistics are computed by build_report(); renderers only
/// choose words and digits. Accuracies are fractions, 0 to 1.
namespace petlab::reports {

/// One finished run as the store has it, with what a report computes from it. Its tasks have
/// predictions as far as build_report() reads them. Left out is what runs have in common or what
/// stands elsewhere: parts of the identity, protocol, grouping.
struct SeedResult : results::RunRecord {
  std::optional<double> train_seconds = {};  // affinity phase and train; absent where not recorded
  std::optional<double> evaluate_seconds = {};
  std::int64_t stored_bytes = 0;                       // of all adapters
  std::optional<std::int64_t> peak_host_bytes = {};    // largest of all phases
  std::optional<std::int64_t> peak_device_bytes = {};  // absent on CPU
  std::optional<double> train_flops = {};              // the same; absent where not all was counted
  std::optional<std::int64_t> batch = {};              // images of a task in a step
  bool has_published_budget = false;  // trained for that of its method's publication
  /// Of each of its tasks; nothing of a task without test images.
  std::vector<std::optional<TaskMeasures>> measures = {};
};

/// A number of somebody's publication. It is printed beside what was measured, never mixed with it.
struct QuotedNumber {
  std::string study;        // name of a study, * stands for any text
  std::string row;          // label
  std::string quantity;     // see quantities_of()
  std::string value;        // as printed there
  std::string source;       // the publication
  std::string page;         //
  std::string table;        // "Table 2", "abstract"
  std::string verified_by;  // who read it there, or where
  /// A known answer: how far from `value` a measured number may be, in the value's unit.
  std::optional<double> within = {};
};

enum class Place { none, best, second };

/// A row against another, seed by seed: mean accuracies over tasks, over the seeds that both have.
struct Comparison {
  std::size_t reference = 0;  // index of the other row in Report::rows
  /// This row less the other. Its interval holds together with those of all rows that are compared
  /// with this reference (Bonferroni: 95 % for all of them); absent with one seed and where the
  /// difference is the same with each.
  Estimate difference;
  std::optional<double> p;             // paired t-test; absent where there is no interval
  std::optional<double> p_bonferroni;  // times the number of rows that have a p; under 0.05
                                       // exactly where the interval leaves 0 out

  /// True if the difference is significant at 5 % after the correction.
  bool is_real() const { return p_bonferroni && *p_bonferroni < 0.05; }
};

/// One line of the table: a method with a sharing, over seeds.
struct Row {
  std::string label;
  std::string method;
  std::string sharing;
  std::string grouping;  // "" without groups
  /// One of Report::train_sizes; "" where the study has one size, and of a row that trains nothing.
  std::string train_size;
  /// Takes part in places, in tests against the best row and in ranks: of a study with several
  /// training sizes, rows of the largest and those without a size.
  bool compared = true;
  std::vector<SeedResult> seeds;
  int planned = 0;
  int failed = 0;
  std::vector<std::uint64_t> missing_seeds;  // planned, but neither finished nor failed

  /// Mean over seeds for each task of Report::tasks; absent where no finished run has the task.
  std::vector<std::optional<double>> task_accuracy;
  /// Mean over tasks, then over seeds. Absent without finished runs, as all that follow.
  std::optional<Estimate> mean;
  /// Base to new (Report::tests_new_classes): accuracy on the new classes, mean over tasks, and its
  /// harmonic mean with `mean`, 2 b n / (b + n) of each seed; then over seeds. Absent where a seed
  /// was not tested on the new classes.
  std::optional<Estimate> new_classes = {};
  std::optional<Estimate> harmonic_mean = {};
  /// Domain generalisation: accuracy on Report::left_out, over seeds; absent where a seed was not
  /// tested on it.
  std::optional<Estimate> left_out = {};
  std::map<std::uint64_t, double> left_out_by_seed = {};
  /// Cross-data-set transfer: accuracy on each of Report::transfer_targets, over seeds; absent
  /// where a seed was not tested on it.
  std::vector<std::optional<Estimate>> transfer = {};
  /// Difference to Report::zero_shot; absent for that row itself and where no seed is common to
  /// both.
  std::optional<Comparison> versus_zero_shot;
  /// Against the best of the others, among all rows without gaps; absent for rows with gaps, and
  /// where a row without gaps has one seed.
  std::optional<BestComparison> versus_best;

  /// Some of its planned runs failed or are missing.
  bool has_gaps() const { return !mean || failed > 0 || !missing_seeds.empty(); }

  /// Places, tests against the best row and ranks are about it: of several training sizes the
  /// largest, and no row with gaps.
  bool is_ranked() const { return compared && !has_gaps(); }

  /// True if the row is shown to be no more than `margin` below the best: its interval says so. A
  /// difference that is merely not significant shows nothing.
  bool is_equivalent_to_best(double margin) const {
    return versus_best && versus_best->low && *versus_best->low >= -margin;
  }

  /// Relative gain over Report::single_task: mean over tasks of (a - b) / b for each seed, b the
  /// accuracy of single-task full fine-tuning; then over the seeds that both have.
  std::optional<Estimate> multi_task_gain;
  /// Seeds whose mean accuracy ends far below that of the row's other seeds.
  std::vector<std::uint64_t> collapsed_seeds;
  /// Smallest and largest number over the seeds: a found grouping may change it.
  std::optional<std::pair<std::int64_t, std::int64_t>> trainable;
  std::optional<double> trainable_percent;  // mean over seeds, of the backbone's parameters
  std::optional<double> train_seconds;      // median over seeds
  std::optional<double> evaluate_seconds;
  /// Measures beside the mean accuracy, by Measure::name: of each seed, then over the seeds.
  std::map<std::string, Estimate> measures = {};
  /// Domains that are the worst one with a seed, in the order of the tasks.
  std::vector<std::string> worst_domains = {};
  /// TaskMeasures::calibration_error_bound, mean over domains, then over seeds.
  std::optional<double> calibration_error_bound = {};
  // Counted operations, median over seeds; the largest memory of all seeds.
  std::optional<double> train_flops = {};
  std::optional<double> step_flops = {};
  std::optional<double> image_flops = {};
  std::optional<std::int64_t> peak_host_bytes = {};
  std::optional<std::int64_t> peak_device_bytes = {};
  // As the runs recorded them, smallest and largest over the seeds: the largest learning rate of
  // the training epochs; how many epochs there were, and optimizer steps in them over all tasks.
  // Absent where nothing was trained, steps also where a run did not count them.
  std::optional<std::pair<double, double>> learning_rate = {};
  std::optional<std::pair<std::int64_t, std::int64_t>> epochs = {};
  std::optional<std::pair<std::int64_t, std::int64_t>> steps = {};
  std::optional<std::pair<std::int64_t, std::int64_t>> batch = {};  // images of a task in a step
  /// Trained for the budget of its method's publication; else for the protocol's.
  bool has_published_budget = false;
  /// Among the rows whose planned runs are all finished. Equal means share a place.
  Place place = Place::none;
  std::vector<QuotedNumber> quoted = {};  // what others have published of this row
};

struct Failure {
  std::string label;
  std::uint64_t seed = 0;
  std::string kind;
  std::string error;
  std::int64_t attempts = 0;
};

struct FoundGrouping {
  std::string label;
  std::uint64_t seed = 0;
  results::GroupingRecord grouping;
};

/// The adapters of one task on all domains.
struct CrossDomainLine {
  std::size_t row = 0;          // index in Report::rows
  std::string adapters_of;      // one of Report::tasks
  std::vector<double> on = {};  // accuracy on each of Report::tasks, mean over seeds
  Estimate elsewhere = {};      // mean over the other domains, then over seeds
};

struct Report {
  std::string study;
  /// What was equal for all rows, in words: data set, split, seeds, backbone, device ...
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<std::string> tasks;
  std::vector<Row> rows;  // in study order
  /// Of a study with several, ascending: images of each class or, below 1, shares. Else empty.
  std::vector<std::string> train_sizes;
  /// By how much a row may be below the best and still count as equivalent to it, as a fraction:
  /// the study's equivalence-margin. Absent: no row is called equivalent.
  std::optional<double> equivalence_margin;
  /// The study is one on base classes, and some of its runs were tested on the new ones.
  bool tests_new_classes = false;
  /// The domain that the study leaves out, and tests its runs on when they are done; "" for others.
  std::string left_out = {};
  /// Other data sets that the study tests its runs on when they are done, by its names for them.
  std::vector<std::string> transfer_targets = {};
  /// Of a study with cross-domain tests: rows in order, then tasks.
  std::vector<CrossDomainLine> cross_domain = {};
  // Rows that others are measured against, as indices: the first row whose runs are of the backbone
  // as it is; the first of those that have Place::best; the first that trains all of a backbone for
  // each task.
  std::optional<std::size_t> zero_shot;
  std::optional<std::size_t> best;
  std::optional<std::size_t> single_task;
  /// Friedman and Nemenyi over tasks, seeds averaged; methods are `ranked_rows`: all rows without
  /// gaps.
  RankAnalysis ranks;
  std::vector<std::size_t> ranked_rows;
  std::vector<Failure> failures;
  std::vector<FoundGrouping> groupings;
  /// What a reader must know before comparing rows; empty if there is nothing.
  std::vector<Note> notes;
  std::string protocol;                         // resolved, as text: the study with all rows
  std::vector<results::SearchRecord> searches;  // settings that were chosen on validation data
  std::vector<results::SplitRecord> splits;     // of the finished runs, in the order of first use
  int planned = 0;
  int finished = 0;
  /// Names of columns of the main table that are shown because somebody asked for them: some of
  /// optional_columns(). Files for programs have all of them always.
  std::vector<std::string> columns = {};
  /// Test images that rows disagree on, for the page: absent unless show_images() was asked to.
  std::optional<std::vector<RowImages>> shown_images = {};
  bool times = true;  // false: times and memory were taken out, and tables have no columns for them
};

/// How many predictions of test images a report holds at most: more than a page shows.
inline constexpr std::int64_t kMaxPredictions = 3'000'000;

/// Reads the study from the store. Where all runs together have more than `most_predictions` test
/// images, only the first seed of each row has predictions, of as many rows as the limit allows;
/// everything else is there of all runs. The zero-shot row is the first whose runs have the trait
/// method_trait::kBaseline; a run that does not say what its method is counts as one if it trained
/// nothing. The single-task row is the first with sharing "per-task" whose runs train as many
/// parameters for each task as the backbone has. Throws Error(config) for a study that the store
/// does not hold, naming those that it holds.
Report build_report(const results::RunStore& store, const std::string& study,
                    std::int64_t most_predictions = kMaxPredictions);

}  // namespace petlab::reports
