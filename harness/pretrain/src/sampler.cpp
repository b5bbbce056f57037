#include "petlab/pretrain/sampler.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace petlab::pretrain {

namespace {

struct Stage {
  double until;  ///< place in the schedule at which it ends
  double power;  ///< of the number of designers
};
constexpr std::array kStages = {Stage{0.10, 3.0}, Stage{0.25, 2.2}, Stage{0.50, 1.6},
                                Stage{1.0, 1.1}};
constexpr std::size_t kMeasuredSubjects = 65;
constexpr std::size_t kMeasuredPictures = 400;  // of one designer

using Families = std::map<std::string, std::set<std::string>>;

bool contains(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

/// Gives each subject its number and, where enough designers drew it, its row.
std::vector<std::int64_t> number_subjects(Curriculum& curriculum,
                                          std::map<std::string, std::int64_t>& numbers,
                                          const Families& families, int table_families) {
  std::vector<std::int64_t> rows;
  for (auto& [subject, number] : numbers) {
    number = static_cast<std::int64_t>(curriculum.subjects.size());
    curriculum.subjects.push_back(subject);
    const auto found = families.find(subject);
    const bool has_row =
        found != families.end() && found->second.size() >= static_cast<std::size_t>(table_families);
    rows.push_back(has_row ? curriculum.n_rows++ : -1);
  }
  return rows;
}

using Measured = std::map<std::int64_t, std::vector<std::int64_t>>;  // pictures by subject

/// Of one designer, the subjects that most designers drew, and their pictures.
void add_measured(Curriculum& curriculum, const std::string& family, const Measured& pictures,
                  const Families& families) {
  const auto designers = [&](std::int64_t subject) {
    return families.at(curriculum.subjects[static_cast<std::size_t>(subject)]).size();
  };
  std::vector<std::int64_t> subjects;
  for (const auto& entry : pictures)
    subjects.push_back(entry.first);
  std::stable_sort(subjects.begin(), subjects.end(),
                   [&](std::int64_t a, std::int64_t b) { return designers(a) > designers(b); });
  if (subjects.size() > kMeasuredSubjects) subjects.resize(kMeasuredSubjects);
  HeldOut measured{.family = family, .pictures = {}};
  for (const std::int64_t subject : subjects)
    for (const std::int64_t picture : pictures.at(subject))
      if (measured.pictures.size() < kMeasuredPictures) measured.pictures.push_back(picture);
  if (measured.pictures.empty()) return;
  curriculum.held_out.push_back(std::move(measured));
  curriculum.held_out_subjects.insert(curriculum.held_out_subjects.end(), subjects.begin(),
                                      subjects.end());
}

}  // namespace

Curriculum make_curriculum(const std::vector<PoolIcon>& pool, const CurriculumRules& rules) {
  Curriculum result;
  Families families;
  std::map<std::string, std::int64_t> pictures;
  std::map<std::string, std::int64_t> numbers;
  const auto is_excluded = [&](std::size_t i) {
    return std::binary_search(rules.excluded.begin(), rules.excluded.end(),
                              static_cast<std::int64_t>(i));
  };
  for (std::size_t i = 0; i < pool.size(); ++i) {
    const PoolIcon& icon = pool[i];
    numbers.emplace(icon.subject, 0);
    if (contains(rules.held_out, icon.family) || is_excluded(i)) continue;
    families[icon.subject].insert(icon.family);
    ++pictures[icon.subject];
  }
  const std::vector<std::int64_t> rows =
      number_subjects(result, numbers, families, rules.table_families);
  std::array<double, kStages.size()> sums{};
  result.up_to.resize(kStages.size());
  result.training_of_subject.resize(result.subjects.size());
  std::map<std::string, Measured> held_out;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    const PoolIcon& icon = pool[i];
    const std::int64_t subject = numbers[icon.subject];
    const std::int64_t row = rows[static_cast<std::size_t>(subject)];
    result.subject_of_picture.push_back(subject);
    result.row_of_picture.push_back(row);
    if (is_excluded(i)) continue;
    const auto picture = static_cast<std::int64_t>(i);
    if (contains(rules.held_out, icon.family)) {
      if (row >= 0) held_out[icon.family][subject].push_back(picture);
      continue;
    }
    const auto designers = static_cast<double>(families[icon.subject].size());
    for (std::size_t stage = 0; stage < kStages.size(); ++stage) {
      sums[stage] +=
          std::pow(designers, kStages[stage].power) / static_cast<double>(pictures[icon.subject]);
      result.up_to[stage].push_back(sums[stage]);
    }
    result.training.push_back(picture);
    result.training_of_subject[static_cast<std::size_t>(subject)].push_back(picture);
  }
  for (const std::string& family : rules.held_out)
    add_measured(result, family, held_out[family], families);
  std::vector<std::int64_t>& measured = result.held_out_subjects;
  std::sort(measured.begin(), measured.end());
  measured.erase(std::unique(measured.begin(), measured.end()), measured.end());
  return result;
}

std::vector<std::int64_t> draw_pictures(const Curriculum& curriculum, double progress,
                                        double pair_share, std::int64_t count,
                                        base::SplitMix64& generator) {
  std::size_t stage = 0;
  while (stage + 1 < kStages.size() && progress >= kStages[stage].until)
    ++stage;
  const std::vector<double>& up_to = curriculum.up_to[stage];
  std::vector<std::int64_t> drawn;
  while (static_cast<std::int64_t>(drawn.size()) < count) {
    const auto place =
        std::upper_bound(up_to.begin(), up_to.end(), generator.uniform() * up_to.back());
    const auto index = std::min<std::ptrdiff_t>(
        place - up_to.begin(), static_cast<std::ptrdiff_t>(curriculum.training.size()) - 1);
    const std::int64_t picture = curriculum.training[static_cast<std::size_t>(index)];
    drawn.push_back(picture);
    const auto subject = curriculum.subject_of_picture[static_cast<std::size_t>(picture)];
    const std::vector<std::int64_t>& others =
        curriculum.training_of_subject[static_cast<std::size_t>(subject)];
    // Drawn in any case, so that the chances of all else do not depend on the share.
    const bool is_pair = generator.uniform() < pair_share;
    const std::int64_t partner = others[static_cast<std::size_t>(generator.below(others.size()))];
    if (is_pair && partner != picture && static_cast<std::int64_t>(drawn.size()) < count)
      drawn.push_back(partner);
  }
  return drawn;
}

}  // namespace petlab::pretrain
