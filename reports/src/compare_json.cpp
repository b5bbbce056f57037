#include "column_json.hpp"
#include "petlab/reports/compare.hpp"

namespace petlab::reports {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
Json optional_json(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json wins_json(const Wins& wins) {
  return {{"only_a", wins.a}, {"only_b", wins.b}, {"p_mcnemar", wins.p}};
}

Json estimate_json(const Estimate& estimate) {
  return {{"mean", estimate.mean},
          {"half_width_95", optional_json(estimate.half_width)},
          {"n", estimate.n}};
}

Json task_json(const TaskDifference& task) {
  Json json = {{"task", task.task}, {"a", task.a}, {"b", task.b}};
  json["difference"] = estimate_json(task.difference);
  json["wins"] = wins_json(task.wins);
  json["p_holm"] = task.p_holm;
  return json;
}

Json picture_json(const Disagreement& picture) {
  Json json = {{"task", picture.task},
               {"picture", picture.picture},
               {"true_class", picture.truth},
               {"a_right", picture.a_right},
               {"b_right", picture.b_right}};
  json["answers"] = Json::array();
  for (const AnswerPair& answer : picture.answers)
    json["answers"].push_back({{"seed", answer.seed},
                               {"a", answer.a},
                               {"a_probability", answer.a_probability},
                               {"a_right", answer.a_right},
                               {"b", answer.b},
                               {"b_probability", answer.b_probability},
                               {"b_right", answer.b_right}});
  return json;
}

}  // namespace

std::string comparison_json(const CompareResult& result) {
  Json json = {{"format", "petlab compare"},
               {"version", 1},
               {"a", result.a},
               {"b", result.b},
               {"verdict", result.verdict}};
  json["notes"] = result.notes;
  json["difference"] = estimate_json(result.difference);
  json["p_paired_t"] = optional_json(result.seeds_p);
  json["pictures"] = {{"mean", result.pictures.mean},
                      {"low_95", result.pictures.low},
                      {"high_95", result.pictures.high},
                      {"pictures", result.pictures.images},
                      {"resamples", result.pictures.resamples}};
  json["wins"] = wins_json(result.wins);
  json["p_wilcoxon"] = result.task_seeds ? Json(result.task_seeds->p) : Json(nullptr);
  json["tasks"] = Json::array();
  for (const TaskDifference& task : result.tasks)
    json["tasks"].push_back(task_json(task));
  json["seeds"] = Json::array();
  for (const SeedDifference& seed : result.seeds) {
    Json one = {{"seed", seed.name}, {"a", seed.a}, {"b", seed.b}};
    one["wins"] = wins_json(seed.wins);
    json["seeds"].push_back(std::move(one));
  }
  json["settings"] = Json::array();
  for (const DifferentSetting& setting : result.settings)
    json["settings"].push_back({{"name", setting.name}, {"a", setting.a}, {"b", setting.b}});
  json["equal_settings"] = result.equal_settings;
  json["tested_pictures"] = result.tested_pictures;
  json["disagreements"] = Json::array();
  for (const Disagreement& picture : result.disagreements)
    json["disagreements"].push_back(picture_json(picture));
  return json_text(json);
}

}  // namespace petlab::reports
