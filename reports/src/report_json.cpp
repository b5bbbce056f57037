#include "column_json.hpp"
#include "known_answers.hpp"
#include "renderers.hpp"
#include "row_table.hpp"
#include "run_table.hpp"

namespace petlab::reports {
namespace {

using Json = nlohmann::ordered_json;

Json facts_json(const Report& report) {
  Json facts = Json::object();
  for (const auto& [name, text] : report.facts)
    facts[name] = text;
  return facts;
}

Json failures_json(const Report& report) {
  Json failures = Json::array();
  for (const Failure& failure : report.failures)
    failures.push_back({{"row", failure.label},
                        {"seed", failure.seed},
                        {"kind", failure.kind},
                        {"error", failure.error},
                        {"attempts", failure.attempts}});
  return failures;
}

Json groupings_json(const Report& report) {
  Json groupings = Json::array();
  for (const FoundGrouping& found : report.groupings)
    groupings.push_back({{"row", found.label},
                         {"seed", found.seed},
                         {"strategy", found.grouping.strategy},
                         {"groups", found.grouping.partition}});
  return groupings;
}

Json study_json(const Report& report) {
  Json json = {{"study", report.study},
               {"planned", report.planned},
               {"finished", report.finished},
               {"tasks", report.tasks}};
  json["equivalence_margin"] =
      report.equivalence_margin ? Json(*report.equivalence_margin) : Json(nullptr);
  json["facts"] = facts_json(report);
  json["rows"] = table_json(report);
  json["runs"] = runs_json(report);
  json["known_answers"] = known_answers_json(report);
  json["notes"] = report.notes;
  json["groupings"] = groupings_json(report);
  json["failures"] = failures_json(report);
  return json;
}

}  // namespace

std::string report_json(const Page& page) {
  Json json = {{"format", "petlab report"}, {"version", 1}};
  json["studies"] = Json::array();
  for (const Report& report : page.studies)
    json["studies"].push_back(study_json(report));
  return json_text(json);
}

}  // namespace petlab::reports
