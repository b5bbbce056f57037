#include "column_list.hpp"
#include "compare_verdict.hpp"
#include "numbers.hpp"
#include "paired_answers.hpp"
#include "petlab/reports/compare.hpp"
#include "table_model.hpp"

#include <algorithm>
#include <ostream>

namespace petlab::reports {
namespace {

using Cells = std::vector<std::string>;

// A small table: a title line, columns as wide as they need, the first ones left-aligned.
class Columns {
 public:
  Columns(Cells head, std::size_t left) : left_(left) { add(std::move(head)); }

  void add(Cells cells) { lines_.push_back(std::move(cells)); }

  void print(std::ostream& out) const {
    for (const Cells& cells : lines_) {
      std::string line;
      for (std::size_t c = 0; c < cells.size(); ++c) {
        const int space = width(c) - display_width(cells[c]);
        const std::string padding(static_cast<std::size_t>(std::max(0, space)), ' ');
        line += "  " + (c < left_ ? cells[c] + padding : padding + cells[c]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out << line << '\n';
    }
  }

 private:
  int width(std::size_t column) const {
    int width = 0;
    for (const Cells& cells : lines_)
      if (column < cells.size()) width = std::max(width, display_width(cells[column]));
    return width;
  }

  std::vector<Cells> lines_;
  std::size_t left_;
};

std::string percent_text(double accuracy) {
  return fixed(100.0 * accuracy, 2);
}

void print_settings(std::ostream& out, const CompareResult& result) {
  out << "\nWhere they differ\n";
  Columns columns({"", result.a, result.b}, 3);
  for (const DifferentSetting& setting : result.settings)
    columns.add({setting.name, setting.a, setting.b});
  columns.print(out);
  out << "  Equal: " << result.equal_settings
      << " other settings, hashes of data and weights among them.\n";
}

void print_differences(std::ostream& out, const CompareResult& result) {
  out << "\nBy how much (accuracy in %; differences are " << result.a << " less " << result.b
      << ", in points with 95 % t-intervals over seeds)\n";
  Columns tasks({"domain", result.a, result.b, "difference", "only " + result.a, "only " + result.b,
                 "McNemar p", "p, Holm"},
                1);
  double a = 0.0, b = 0.0;
  for (const TaskDifference& task : result.tasks) {
    tasks.add({task.task, percent_text(task.a), percent_text(task.b), points_text(task.difference),
               std::to_string(task.wins.a), std::to_string(task.wins.b), p_digits(task.wins.p),
               p_digits(task.p_holm)});
    a += task.a / static_cast<double>(result.tasks.size());
    b += task.b / static_cast<double>(result.tasks.size());
  }
  tasks.add({"mean", percent_text(a), percent_text(b), points_text(result.difference),
             std::to_string(result.wins.a), std::to_string(result.wins.b),
             p_digits(result.wins.p)});
  tasks.print(out);
  out << "  only: answers, over all seeds, where only this side is right. McNemar: exact, all "
         "answers to an image\n  together. Holm: for "
      << result.tasks.size() << " domains.\n\n";
  Columns seeds({"seed", result.a, result.b, "difference", "only " + result.a, "only " + result.b,
                 "McNemar p"},
                1);
  for (const SeedDifference& seed : result.seeds)
    seeds.add({seed.name, percent_text(seed.a), percent_text(seed.b),
               signed_fixed(100.0 * (seed.a - seed.b), 2), std::to_string(seed.wins.a),
               std::to_string(seed.wins.b), p_digits(seed.wins.p)});
  seeds.print(out);
}

void print_tests(std::ostream& out, const CompareResult& result) {
  out << "\nTests, each for a question of its own (the verdict rests on the first with an "
         "interval)\n";
  Columns columns({"question", "test", "95 % interval", "p"}, 2);
  const Estimate& seeds = result.difference;
  const bool has_interval = result.seeds_p && !leaves_range(seeds, -1.0, 1.0);
  columns.add({"other seeds, these images",
               "paired t over " + std::to_string(seeds.n) + (seeds.n == 1 ? " seed" : " seeds"),
               has_interval
                   ? interval_text(seeds.mean - *seeds.half_width, seeds.mean + *seeds.half_width)
                   : kNothing,
               result.seeds_p ? p_digits(*result.seeds_p) : kNothing});
  columns.add({"other images, these models",
               "paired bootstrap over " + grouped_digits(result.tested_pictures) + " images",
               interval_text(result.pictures.low, result.pictures.high), kNothing});
  columns.add({"", "McNemar over the same images", kNothing, p_digits(result.wins.p)});
  const SignedRanks ranks = result.task_seeds.value_or(SignedRanks{});
  columns.add({"domains and seeds together",
               "Wilcoxon over " + std::to_string(result.tasks.size() * result.seeds.size()) +
                   " domain-seed pairs" + (ranks.exact ? ", exact" : ", normal"),
               kNothing, result.task_seeds ? p_digits(ranks.p) : kNothing});
  columns.print(out);
}

// "bed 0.91 (5), fork 0.40 (2)": the answers of a side with mean probability and count of seeds.
std::string answers_text(const Disagreement& picture, std::string AnswerPair::* answer,
                         double AnswerPair::* probability) {
  std::string text;
  for (const GivenAnswer& one : given_answers(picture, answer, probability)) {
    text += (text.empty() ? "" : ", ") + one.answer + " " + fixed(one.probability, 2);
    if (picture.answers.size() > 1) text += " (" + std::to_string(one.runs) + ")";
  }
  return text;
}

void print_pictures(std::ostream& out, const CompareResult& result, int wanted) {
  const std::size_t count = result.disagreements.size();
  out << "\nThey disagree on " << grouped_digits(static_cast<std::int64_t>(count)) << " of "
      << grouped_digits(result.tested_pictures) << " images";
  const std::size_t shown = std::min(count, static_cast<std::size_t>(std::max(0, wanted)));
  if (shown == 0) {
    out << ".\n";
    return;
  }
  out << "; the " << shown << " with the widest gap"
      << (result.seeds.size() > 1 ? " (answers with mean probability and number of seeds):\n"
                                  : " (answers with probability):\n");
  Columns columns({"domain", "image", "true", result.a, result.b}, 5);
  for (std::size_t i = 0; i < shown; ++i) {
    const Disagreement& picture = result.disagreements[i];
    columns.add({picture.task, picture.picture, picture.truth,
                 answers_text(picture, &AnswerPair::a, &AnswerPair::a_probability),
                 answers_text(picture, &AnswerPair::b, &AnswerPair::b_probability)});
  }
  columns.print(out);
}

}  // namespace

void print_comparison(std::ostream& out, const CompareResult& result, int pictures) {
  out << result.verdict << '\n';
  for (const std::string& note : result.notes)
    out << "Note: " << note << '\n';
  print_settings(out, result);
  print_differences(out, result);
  print_tests(out, result);
  print_pictures(out, result, pictures);
}

std::string disagreements_csv(const CompareResult& result) {
  struct Line {
    const Disagreement& picture;
    const AnswerPair& answer;
  };
  const auto yes = [](bool value) { return value ? "1" : "0"; };
  const ColumnList<Line> columns = {
      {.column = {.name = "a"}, .value = [&](const Line&) { return result.a; }},
      {.column = {.name = "b"}, .value = [&](const Line&) { return result.b; }},
      {.column = {.name = "task"}, .value = [](const Line& line) { return line.picture.task; }},
      {.column = {.name = "picture"},
       .value = [](const Line& line) { return line.picture.picture; }},
      {.column = {.name = "true_class"},
       .value = [](const Line& line) { return line.picture.truth; }},
      {.column = {.name = "seed"}, .value = [](const Line& line) { return line.answer.seed; }},
      {.column = {.name = "a_answer"}, .value = [](const Line& line) { return line.answer.a; }},
      {.column = {.name = "a_probability"},
       .value = [](const Line& line) { return line.answer.a_probability; }},
      {.column = {.name = "a_right"},
       .value = [yes](const Line& line) { return yes(line.answer.a_right); }},
      {.column = {.name = "b_answer"}, .value = [](const Line& line) { return line.answer.b; }},
      {.column = {.name = "b_probability"},
       .value = [](const Line& line) { return line.answer.b_probability; }},
      {.column = {.name = "b_right"},
       .value = [yes](const Line& line) { return yes(line.answer.b_right); }}};
  std::vector<Line> lines;
  for (const Disagreement& picture : result.disagreements) {
    for (const AnswerPair& answer : picture.answers)
      lines.push_back({picture, answer});
  }
  return csv_file(columns, lines);
}

}  // namespace petlab::reports
