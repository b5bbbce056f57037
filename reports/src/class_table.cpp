#include "class_table.hpp"

#include "column_list.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace petlab::reports {
namespace {

// A task of a run.
struct Tested {
  const Row* row = nullptr;
  const SeedResult* run = nullptr;
  const results::TaskSplit* task = nullptr;
};

struct ClassLine : Tested {
  std::int64_t label = 0;
  std::int64_t images = 0;
  std::int64_t answers = 0;
  std::int64_t right = 0;
};

struct ConfusionLine : Tested {
  AnswerCount count;
};

std::string class_name(const results::TaskSplit& task, std::int64_t label) {
  const auto index = static_cast<std::size_t>(label);
  return index < task.classes.size() ? task.classes[index] : "";
}

// Calls `visit` with each task of each finished run and what was answered.
template <class Visit>
void visit_tasks(const Report& report, Visit visit) {
  std::map<std::pair<std::string, std::string>, const results::SplitRecord*> splits;
  for (const results::SplitRecord& split : report.splits)
    splits.emplace(std::pair(split.hash, split.dataset.hash), &split);
  for (const Row& row : report.rows) {
    for (const SeedResult& run : row.seeds) {
      const auto split = splits.find({run.split_hash, run.dataset_hash});
      if (split == splits.end()) continue;
      for (std::size_t t = 0; t < run.measures.size(); ++t) {
        for (const results::TaskSplit& task : split->second->tasks) {
          if (task.task == run.tasks[t].task && run.measures[t])
            visit(Tested{&row, &run, &task}, run.measures[t]->answers);
        }
      }
    }
  }
}

template <class Line>
ColumnList<Line> name_columns(const Report& report) {
  return {
      {.column = {.name = "study"},
       .value = [study = report.study](const Line&) { return CsvValue(study); }},
      {.column = {.name = "row"}, .value = [](const Line& line) { return line.row->label; }},
      {.column = {.name = "method"}, .value = [](const Line& line) { return line.row->method; }},
      {.column = {.name = "sharing"}, .value = [](const Line& line) { return line.row->sharing; }},
      {.column = {.name = "seed"}, .value = [](const Line& line) { return line.run->seed; }},
      {.column = {.name = "task"}, .value = [](const Line& line) { return line.task->task; }}};
}

template <class Line>
ColumnOf<Line> run_column() {
  return {.column = {.name = "run"},
          .value = [](const Line& line) { return line.run->identity.hash; }};
}

CsvValue share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? CsvValue(static_cast<double>(part) / static_cast<double>(whole)) : CsvValue();
}

}  // namespace

std::string classes_csv(const Report& report) {
  std::vector<ClassLine> lines;
  visit_tasks(report, [&](const Tested& tested, const std::vector<AnswerCount>& answers) {
    std::vector<ClassLine> classes(tested.task->classes.size(), ClassLine{{tested}});
    for (std::size_t label = 0; label < classes.size(); ++label)
      classes[label].label = static_cast<std::int64_t>(label);
    for (const AnswerCount& count : answers) {
      classes.at(static_cast<std::size_t>(count.label)).images += count.images;
      classes.at(static_cast<std::size_t>(count.predicted)).answers += count.images;
      if (count.label == count.predicted)
        classes.at(static_cast<std::size_t>(count.label)).right += count.images;
    }
    lines.insert(lines.end(), classes.begin(), classes.end());
  });
  ColumnList<ClassLine> columns = name_columns<ClassLine>(report);
  const auto add = [&](const char* name, std::function<CsvValue(const ClassLine&)> value) {
    columns.push_back({.column = {.name = name}, .value = std::move(value)});
  };
  add("label", [](const ClassLine& line) { return line.label; });
  add("class", [](const ClassLine& line) { return class_name(*line.task, line.label); });
  add("n_test", [](const ClassLine& line) { return line.images; });
  add("n_answers", [](const ClassLine& line) { return line.answers; });
  add("n_correct", [](const ClassLine& line) { return line.right; });
  add("accuracy", [](const ClassLine& line) { return share(line.right, line.images); });
  add("f1",
      [](const ClassLine& line) { return share(2 * line.right, line.images + line.answers); });
  columns.push_back(run_column<ClassLine>());
  return csv_file(columns, lines);
}

std::string confusions_csv(const Report& report) {
  std::vector<ConfusionLine> lines;
  visit_tasks(report, [&](const Tested& tested, const std::vector<AnswerCount>& answers) {
    const auto first = static_cast<std::ptrdiff_t>(lines.size());
    for (const AnswerCount& count : answers) {
      if (count.label != count.predicted) lines.push_back({{tested}, count});
    }
    std::stable_sort(lines.begin() + first, lines.end(),
                     [](const ConfusionLine& a, const ConfusionLine& b) {
                       return a.count.images > b.count.images;
                     });
  });
  ColumnList<ConfusionLine> columns = name_columns<ConfusionLine>(report);
  const auto add = [&](const char* name, std::function<CsvValue(const ConfusionLine&)> value) {
    columns.push_back({.column = {.name = name}, .value = std::move(value)});
  };
  add("true_label", [](const ConfusionLine& line) { return line.count.label; });
  add("true_class",
      [](const ConfusionLine& line) { return class_name(*line.task, line.count.label); });
  add("answer_label", [](const ConfusionLine& line) { return line.count.predicted; });
  add("answer_class",
      [](const ConfusionLine& line) { return class_name(*line.task, line.count.predicted); });
  add("n", [](const ConfusionLine& line) { return line.count.images; });
  columns.push_back(run_column<ConfusionLine>());
  return csv_file(columns, lines);
}

}  // namespace petlab::reports
