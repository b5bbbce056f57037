#include "merge_studies.hpp"

#include "queries.hpp"
#include "run_checks.hpp"
#include "store_file.hpp"

#include <algorithm>
#include <map>

namespace petlab::results {
namespace {

// The first thing in which two plans differ, as the end of a sentence.
std::string plan_difference(const StudyRecord& mine, const StudyRecord& theirs) {
  for (std::size_t i = 0; i < std::min(mine.plan.size(), theirs.plan.size()); ++i) {
    const PlannedRun& a = mine.plan[i];
    const PlannedRun& b = theirs.plan[i];
    if (a == b) continue;
    const auto name = [](const PlannedRun& run) {
      return "row '" + run.row_label + "' seed " + std::to_string(run.seed);
    };
    return name(a) == name(b) ? "their runs of " + name(a) + " have different settings"
                              : name(a) + " stands where the other has " + name(b);
  }
  return std::to_string(mine.plan.size()) + " runs and " + std::to_string(theirs.plan.size());
}

class StudyMerger {
 public:
  StudyMerger(SQLite::Database& into, const std::filesystem::path& into_path,
              const SQLite::Database& from, const std::filesystem::path& from_path, bool rename)
      : into_(into), into_path_(into_path), from_(from), from_path_(from_path), rename_(rename) {}

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
  bool fits(const StudyRecord& study, const std::string& name) const {
    const std::optional<StudyRecord> mine = read_study(into_, name);
    return !mine || mine->plan == study.plan;
  }

  // Another plan of this name gets a name made of its file's, with a number where that is taken
  // too.
  std::string name_for(const StudyRecord& study) {
    if (fits(study, study.name)) return study.name;
    if (!rename_) {
      const StudyRecord mine = read_study(into_, study.name).value();
      throw store_error(into_path_, "its study '" + study.name +
                                        "' has another plan than the study of that name in '" +
                                        from_path_.string() + "': " + plan_difference(mine, study) +
                                        "; --rename keeps both");
    }
    const std::string base = study.name + "-" + from_path_.stem().string();
    std::string name = base;
    for (int number = 2; !fits(study, name); ++number)
      name = base + "-" + std::to_string(number);
    result_.renamed.push_back("study '" + study.name + "' of '" + from_path_.string() +
                              "' is called '" + name + "', because '" + into_path_.string() +
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
    for (const SearchRecord& search : theirs.searches) {
      const auto same_row =
          std::find_if(mine->searches.begin(), mine->searches.end(),
                       [&](const SearchRecord& one) { return one.row_index == search.row_index; });
      if (same_row == mine->searches.end()) {
        mine->searches.push_back(search);
        changed = true;
      } else if (*same_row != search) {
        result_.differences.push_back("the search of row " + std::to_string(search.row_index) +
                                      " of study '" + theirs.name + "' has another outcome in '" +
                                      from_path_.string() + "'; that of '" + into_path_.string() +
                                      "' stays");
      }
    }
    if (changed) write_study(into_, *mine);
  }

  SQLite::Database& into_;
  const std::filesystem::path& into_path_;
  const SQLite::Database& from_;
  const std::filesystem::path& from_path_;
  bool rename_;
  std::map<std::string, std::string> names_;  // of the studies in `from_`: there -> here
  StudyMerge result_;
};

}  // namespace

StudyMerge merge_studies(SQLite::Database& into, const std::filesystem::path& into_path,
                         const SQLite::Database& from, const std::filesystem::path& from_path,
                         bool rename) {
  return StudyMerger(into, into_path, from, from_path, rename).run();
}

}  // namespace petlab::results
