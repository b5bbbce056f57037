#include "page_data.hpp"

#include "chart_rows.hpp"
#include "petlab/base/base64.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

namespace petlab::reports {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kClassesOfOneByte = 256;

Json number(double value) {
  constexpr double kDigits = 1e6;
  if (!std::isfinite(value)) return nullptr;
  return std::abs(value) < 1.0 / kDigits * 100.0 ? Json(value)
                                                 : Json(std::round(value * kDigits) / kDigits);
}

Json optional_number(const std::optional<double>& value) {
  return value ? number(*value) : Json(nullptr);
}

Json estimate_data(const std::optional<Estimate>& estimate) {
  if (!estimate) return nullptr;
  return {{"mean", number(estimate->mean)},
          {"half", optional_number(estimate->half_width)},
          {"n", estimate->n}};
}

Json seed_data(const SeedResult& seed, const std::vector<std::string>& tasks) {
  Json accuracies = Json::array();
  for (const std::string& task : tasks) {
    const auto found =
        std::find_if(seed.tasks.begin(), seed.tasks.end(),
                     [&](const results::TaskResult& result) { return result.task == task; });
    accuracies.push_back(found == seed.tasks.end() ? Json(nullptr) : number(found->accuracy()));
  }
  Json warm_up = Json::array();
  Json train = Json::array();
  for (const results::EpochRecord& epoch : seed.epochs)
    (epoch.phase == "warm-up" ? warm_up : train).push_back(number(epoch.loss));
  return {{"seed", seed.seed},
          {"accuracy", number(seed.mean_accuracy())},
          {"tasks", accuracies},
          {"trainable", seed.trainable()},
          {"trainSeconds", optional_number(seed.train_seconds)},
          {"warmUp", warm_up},
          {"train", train}};
}

Json row_data(const Row& row, const std::vector<std::string>& tasks, std::size_t shown_seeds) {
  Json seeds = Json::array();
  for (std::size_t i = 0; i < std::min(shown_seeds, row.seeds.size()); ++i)
    seeds.push_back(seed_data(row.seeds[i], tasks));
  Json data = {{"label", row.label},
               {"method", row.method},
               {"sharing", row.sharing},
               {"mean", estimate_data(row.mean)},
               {"trainSeconds", optional_number(row.train_seconds)}};
  if (seeds.size() < row.seeds.size()) {  // means that can no longer be taken over the seeds
    double trainable = 0.0;
    for (const SeedResult& seed : row.seeds)
      trainable += static_cast<double>(seed.trainable()) / static_cast<double>(row.seeds.size());
    data["trainable"] = number(trainable);
    Json accuracies = Json::array();
    for (const auto& accuracy : row.task_accuracy)
      accuracies.push_back(optional_number(accuracy));
    data["tasks"] = std::move(accuracies);
  }
  data["seeds"] = std::move(seeds);
  return data;
}

Json grouping_data(const FoundGrouping& found) {
  Json affinity = Json::array();
  for (const double value : found.grouping.affinity)
    affinity.push_back(number(value));
  return {{"label", found.label},
          {"seed", found.seed},
          {"tasks", found.grouping.tasks},
          {"affinity", affinity},
          {"partition", found.grouping.partition}};
}

// Class indices, a byte each where all fit, else two (low byte first).
template <class Items, class Get>
std::string packed(const Items& items, bool wide, Get get) {
  std::string bytes;
  for (const auto& item : items) {
    const auto index = static_cast<std::uint64_t>(get(item));
    bytes.push_back(static_cast<char>(index & 0xFFU));
    if (wide) bytes.push_back(static_cast<char>(index >> 8U & 0xFFU));
  }
  return base::base64(bytes);
}

bool needs_two_bytes(const Report& report) {
  for (const results::SplitRecord& split : report.splits) {
    for (const results::TaskSplit& task : split.tasks) {
      if (static_cast<std::int64_t>(task.classes.size()) > kClassesOfOneByte) return true;
    }
  }
  return false;
}

// Labels of the splits; lists of classes are there once, as tasks mostly share theirs.
Json split_data(const Report& report, bool wide, Json& classes) {
  Json splits = Json::array();
  for (const results::SplitRecord& split : report.splits) {
    Json tasks = Json::array();
    for (const results::TaskSplit& task : split.tasks) {
      Json names(task.classes);
      const auto known = std::find(classes.begin(), classes.end(), names);
      const auto index = known - classes.begin();
      if (known == classes.end()) classes.push_back(std::move(names));
      tasks.push_back(
          {{"task", task.task},
           {"classes", index},
           {"labels", packed(task.test, wide, [](const auto& image) { return image.label; })}});
    }
    splits.push_back({{"seed", split.seed}, {"tasks", tasks}});
  }
  return splits;
}

// Predictions that the store has and the report left out: build_report() says which.
bool lacks_predictions(const SeedResult& seed) {
  return std::any_of(seed.tasks.begin(), seed.tasks.end(), [](const results::TaskResult& task) {
    return task.n_test > 0 && task.predictions.empty();
  });
}

// Of a run whose split is known and whose predictions are complete; null for others.
Json run_data(const Report& report, const Row& row, const SeedResult& seed, bool wide) {
  const auto split = std::find_if(
      report.splits.begin(), report.splits.end(), [&](const results::SplitRecord& record) {
        return record.hash == seed.split_hash &&
               (seed.dataset_hash.empty() || record.dataset.hash == seed.dataset_hash);
      });
  if (split == report.splits.end()) return nullptr;
  Json tasks = Json::array();
  for (const results::TaskSplit& task : split->tasks) {
    const auto result =
        std::find_if(seed.tasks.begin(), seed.tasks.end(),
                     [&](const results::TaskResult& each) { return each.task == task.task; });
    if (result == seed.tasks.end() || result->predictions.size() != task.test.size()) {
      return nullptr;
    }
    tasks.push_back(
        packed(result->predictions, wide, [](const auto& image) { return image.predicted; }));
  }
  return {{"row", row.label},
          {"seed", seed.seed},
          {"split", split - report.splits.begin()},
          {"answers", tasks}};
}

std::size_t size_of(const Json& data) {
  return data.dump().size();
}

// With the runs that `chosen` says yes to, until `room` is used up.
template <class Chosen>
Json study_predictions(const Report& report, std::size_t room, Chosen chosen, bool& complete) {
  const bool wide = needs_two_bytes(report);
  Json classes = Json::array();
  Json data = {{"bytes", wide ? 2 : 1}, {"splits", split_data(report, wide, classes)}};
  data["classes"] = std::move(classes);
  std::size_t used = size_of(data);
  Json runs = Json::array();
  complete = true;
  for (const Row& row : report.rows) {
    for (std::size_t i = 0; i < row.seeds.size(); ++i) {
      if (!chosen(i)) continue;
      if (used > room || lacks_predictions(row.seeds[i])) {
        complete = false;
        continue;
      }
      Json run = run_data(report, row, row.seeds[i], wide);
      if (run.is_null()) continue;
      used += size_of(run);
      if (used > room) {
        complete = false;
        continue;
      }
      runs.push_back(std::move(run));
    }
  }
  data["runs"] = std::move(runs);
  return data;
}

Json ranks_data(const Report& report, const ChartRows& shown) {
  if (!report.ranks.ranking || !shown.ranks) return nullptr;
  const Ranking& ranking = *report.ranks.ranking;
  Json labels = Json::array();
  for (const std::size_t row : report.ranked_rows)
    labels.push_back(report.rows[row].label);
  return {{"rows", labels},
          {"ranks", ranking.mean_ranks},
          {"groups", ranking.groups},
          {"difference", number(ranking.critical_difference)}};
}

Json sizes_data(const TrainSizes& sizes) {
  Json names = Json::array();
  for (const std::string& size : sizes.sizes)
    names.push_back(train_size_text(size));
  Json lines = Json::array();
  for (const TrainSizeLine& line : sizes.lines) {
    Json means = Json::array();
    for (const Row* row : line.rows)
      means.push_back(row == nullptr ? Json(nullptr) : estimate_data(row->mean));
    lines.push_back({{"label", line.label}, {"trains", line.trains}, {"means", means}});
  }
  return {{"sizes", names}, {"lines", lines}};
}

// In the report's order, no more of a row than its seeds that are shown.
std::vector<const FoundGrouping*> shown_groupings(const Report& report, const ChartRows& shown) {
  std::map<std::string, std::size_t> room;  // by label
  for (const std::size_t row : shown.grouped)
    room[report.rows[row].label] = shown.seeds;
  std::vector<const FoundGrouping*> found;
  for (const FoundGrouping& one : report.groupings) {
    const auto left = room.find(one.label);
    if (left == room.end() || left->second == 0) continue;
    --left->second;
    found.push_back(&one);
  }
  return found;
}

}  // namespace

nlohmann::ordered_json chart_data(const Report& report) {
  const ChartRows shown = chart_rows(report);
  Json rows = Json::array();
  Json zero_shot = nullptr;
  for (const std::size_t row : shown.rows) {
    if (row == report.zero_shot) zero_shot = rows.size();
    rows.push_back(row_data(report.rows[row], report.tasks, shown.seeds));
  }
  Json groupings = Json::array();
  for (const FoundGrouping* found : shown_groupings(report, shown))
    groupings.push_back(grouping_data(*found));
  Json data = {{"study", report.study},
               {"times", report.times},
               {"tasks", report.tasks},
               {"zeroShot", zero_shot},
               {"rows", rows},
               {"groupings", groupings},
               {"ranks", ranks_data(report, shown)}};
  if (!report.train_sizes.empty()) data["sizes"] = sizes_data(train_sizes_of(report));
  return data;
}

nlohmann::ordered_json chart_data(const TrainSizes& sizes) {
  Json data;
  data["sizes"] = sizes_data(sizes);
  return data;
}

std::vector<nlohmann::ordered_json> prediction_data(const std::vector<Report>& studies,
                                                    std::size_t budget) {
  const std::size_t share = budget / std::max<std::size_t>(1, studies.size());
  std::vector<Json> data;
  for (const Report& report : studies) {
    bool complete = false;
    Json study = study_predictions(report, share, [](std::size_t) { return true; }, complete);
    study["note"] = "";
    if (!complete) {
      study = study_predictions(report, share, [](std::size_t i) { return i == 0; }, complete);
      study["note"] = complete
                          ? "The page holds the predictions of the first seed of each row; those "
                            "of the other seeds are in the store."
                          : "The page holds the predictions of the first seed of the first rows; "
                            "those of the other runs are in the store.";
    }
    data.push_back(std::move(study));
  }
  return data;
}

std::string script_text(const nlohmann::ordered_json& data) {
  // "</script>" and "<!--" would end or upset the element; '<' stands in JSON strings only.
  std::string text;
  for (const char c : data.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text.push_back(c);
    }
  }
  return text;
}

}  // namespace petlab::reports
