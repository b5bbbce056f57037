#include "merge_studies.hpp"

#include "join_plans.hpp"
#include "petlab/results/store_address.hpp"
#include "queries.hpp"
#include "run_checks.hpp"
#include "statements.hpp"
#include "store.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace petlab::results {
namespace {

std::optional<std::string> setting_in(const std::map<std::string, std::string>& settings,
                                      const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? std::nullopt : std::optional(found->second);
}

// The values that decided the recorded run of a plan that comes first for a row, but for the seed
// and the split, which follows from it; empty where none was recorded.
std::map<std::string, std::string> settings_of(const sql::Database& db, const StudyRecord& study,
                                               const std::string& row) {
  std::map<std::string, std::string> settings;
  for (const PlannedRun& run : study.plan) {
    if (run.row_label != row) continue;
    sql::Statement value = query(db,
                                 "SELECT v.kind || ' ' || v.name, v.value FROM run_values v "
                                 "JOIN runs r USING (run_id) JOIN splits s USING (split_id) "
                                 "WHERE r.identity = ? AND v.kind IN ('identity', 'protocol') "
                                 "AND v.name <> 'seed' AND v.value <> s.hash",
                                 run.hash);
    while (value.step())
      settings.emplace(value.column(0).text(), value.column(1).text());
    if (!settings.empty()) break;
  }
  return settings;
}

// Of the recorded runs of a plan.
std::string dataset_of(const sql::Database& db, const StudyRecord& study) {
  for (const PlannedRun& run : study.plan) {
    sql::Statement hash = query(db,
                                "SELECT d.hash FROM runs r JOIN splits s USING (split_id) "
                                "JOIN datasets d USING (dataset_id) WHERE r.identity = ?",
                                run.hash);
    if (hash.step()) return hash.column(0).text();
  }
  return "";
}

class StudyMerger {
 public:
  StudyMerger(const sql::Database& into, const std::filesystem::path& into_path,
              const sql::Database& from, const std::filesystem::path& from_path,
              const MergeOptions& options)
      : into_(into), into_path_(into_path), from_(from), from_path_(from_path), options_(options) {}

  StudyMerge run() {
    std::vector<StudyRecord> studies;
    for (const std::string& name : read_study_names(from_)) {
      studies.push_back(read_study(from_, name).value());
      check_study(from_path_, studies.back());
      names_[name] = name_for(studies.back());
    }
    for (StudyRecord& study : studies) {
      study.name = names_.at(study.name);
      // A search names the study of its trials, which may have got another name.
      for (SearchRecord& search : study.searches) {
        const auto found = names_.find(search.study);
        if (found != names_.end()) search.study = found->second;
      }
      take(study);
    }
    return std::move(result_);
  }

 private:
  // The study of that name here with what `study` adds, or why they are not parts of one.
  JoinedPlans joined_with(const StudyRecord& study, const StudyRecord& mine) const {
    JoinedPlans joined = join_plans(mine, study, options_.places);
    if (!joined.study || mine.plan == study.plan) return joined;
    // Plans say what is meant; what was computed has to agree too.
    const auto refuse = [&](const std::string& difference) {
      joined.study.reset();
      joined.difference = difference;
    };
    const std::string my_data = dataset_of(into_, mine), their_data = dataset_of(from_, study);
    if (!my_data.empty() && !their_data.empty() && my_data != their_data)
      refuse("their runs are of two data sets, " + quoted_hash(my_data) + " and " +
             quoted_hash(their_data));
    std::set<std::string> rows;
    for (const PlannedRun& run : study.plan)
      rows.insert(run.row_label);
    for (const std::string& row : rows) {
      const auto here = settings_of(into_, mine, row), there = settings_of(from_, study, row);
      if (here.empty() || there.empty()) continue;
      // What only one of them says is a difference too.
      for (const auto* one : {&here, &there})
        for (const auto& [name, value] : *one)
          if (setting_in(here, name) != setting_in(there, name))
            refuse("their runs of row '" + row + "' differ in " + name.substr(name.find(' ') + 1));
    }
    return joined;
  }

  bool fits(const StudyRecord& study, const std::string& name) const {
    const std::optional<StudyRecord> mine = read_study(into_, name);
    return !mine || mine->plan == study.plan || joined_with(study, *mine).study.has_value();
  }

  // Another plan of this name gets a name made of its file's, with a number where that is taken
  // too.
  std::string name_for(const StudyRecord& study) {
    if (fits(study, study.name)) return study.name;
    if (!options_.rename) {
      const StudyRecord mine = read_study(into_, study.name).value();
      throw store_error(into_path_, "its study '" + study.name +
                                        "' has another plan than the study of that name in '" +
                                        shown_address(from_path_) +
                                        "': " + joined_with(study, mine).difference +
                                        "; --rename keeps both");
    }
    const std::string base = study.name + "-" + beside_store(from_path_).stem().string();
    std::string name = base;
    for (int number = 2; !fits(study, name); ++number)
      name = base + "-" + std::to_string(number);
    result_.renamed.push_back("study '" + study.name + "' of '" + shown_address(from_path_) +
                              "' is called '" + name + "', because '" + shown_address(into_path_) +
                              "' has another plan of that name");
    return name;
  }

  void take(const StudyRecord& theirs) {
    std::optional<StudyRecord> mine = read_study(into_, theirs.name);
    if (!mine) {
      write_study(into_, theirs);
      ++result_.added;
      return;
    }
    bool changed = false;
    std::map<std::int64_t, std::int64_t> rows;
    if (mine->plan != theirs.plan) {
      JoinedPlans joined = joined_with(theirs, *mine);
      rows = std::move(joined.rows);
      const std::size_t more = joined.study->plan.size() - mine->plan.size();
      if (more > 0) {
        mine = std::move(joined.study);
        changed = true;
        result_.joined.push_back("study '" + theirs.name + "' of '" + shown_address(into_path_) +
                                 "' has " + std::to_string(more) + " planned runs more, of '" +
                                 shown_address(from_path_) + "'");
      }
    }
    for (SearchRecord search : theirs.searches) {
      if (const auto row = rows.find(search.row_index); row != rows.end())
        search.row_index = row->second;
      const auto same_row =
          std::find_if(mine->searches.begin(), mine->searches.end(),
                       [&](const SearchRecord& one) { return one.row_index == search.row_index; });
      if (same_row == mine->searches.end()) {
        mine->searches.push_back(search);
        changed = true;
      } else if (*same_row != search) {
        result_.differences.push_back("the search of row " + std::to_string(search.row_index) +
                                      " of study '" + theirs.name + "' has another outcome in '" +
                                      shown_address(from_path_) + "'; that of '" +
                                      shown_address(into_path_) + "' stays");
      }
    }
    if (changed) write_study(into_, *mine);
  }

  const sql::Database& into_;
  const std::filesystem::path& into_path_;
  const sql::Database& from_;
  const std::filesystem::path& from_path_;
  const MergeOptions& options_;
  std::map<std::string, std::string> names_;  // of the studies in `from_`: there -> here
  StudyMerge result_;
};

}  // namespace

StudyMerge merge_studies(const sql::Database& into, const std::filesystem::path& into_path,
                         const sql::Database& from, const std::filesystem::path& from_path,
                         const MergeOptions& options) {
  return StudyMerger(into, into_path, from, from_path, options).run();
}

}  // namespace petlab::results
