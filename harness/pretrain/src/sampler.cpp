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
constexpr std::size_t kMeasuredPictures = 1500;

}  // namespace

Curriculum make_curriculum(const std::vector<PoolIcon>& pool, int table_families,
                           const std::string& held_out_family) {
  Curriculum result;
  std::map<std::string, std::set<std::string>> families;
  std::map<std::string, std::int64_t> pictures;
  std::map<std::string, std::int64_t> numbers;
  for (const PoolIcon& icon : pool) {
    numbers.emplace(icon.subject, 0);
    if (icon.family == held_out_family) continue;
    families[icon.subject].insert(icon.family);
    ++pictures[icon.subject];
  }
  std::vector<std::int64_t> rows;
  for (auto& [subject, number] : numbers) {
    number = static_cast<std::int64_t>(result.subjects.size());
    result.subjects.push_back(subject);
    const auto found = families.find(subject);
    const bool has_row =
        found != families.end() && found->second.size() >= static_cast<std::size_t>(table_families);
    rows.push_back(has_row ? result.n_rows++ : -1);
  }
  std::array<double, kStages.size()> sums{};
  result.up_to.resize(kStages.size());
  std::map<std::int64_t, std::vector<std::int64_t>> held_out;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    const PoolIcon& icon = pool[i];
    const std::int64_t subject = numbers[icon.subject];
    const std::int64_t row = rows[static_cast<std::size_t>(subject)];
    result.subject_of_picture.push_back(subject);
    result.row_of_picture.push_back(row);
    const auto picture = static_cast<std::int64_t>(i);
    if (icon.family == held_out_family) {
      if (row >= 0) held_out[subject].push_back(picture);
      continue;
    }
    const auto designers = static_cast<double>(families[icon.subject].size());
    for (std::size_t stage = 0; stage < kStages.size(); ++stage) {
      sums[stage] +=
          std::pow(designers, kStages[stage].power) / static_cast<double>(pictures[icon.subject]);
      result.up_to[stage].push_back(sums[stage]);
    }
    result.training.push_back(picture);
  }
  std::vector<std::int64_t> by_designers;
  for (const auto& entry : held_out)
    by_designers.push_back(entry.first);
  std::stable_sort(by_designers.begin(), by_designers.end(), [&](std::int64_t a, std::int64_t b) {
    return families[result.subjects[static_cast<std::size_t>(a)]].size() >
           families[result.subjects[static_cast<std::size_t>(b)]].size();
  });
  if (by_designers.size() > kMeasuredSubjects) by_designers.resize(kMeasuredSubjects);
  result.held_out_subjects = by_designers;
  for (const std::int64_t subject : by_designers)
    for (const std::int64_t picture : held_out[subject])
      if (result.held_out.size() < kMeasuredPictures) result.held_out.push_back(picture);
  return result;
}

std::vector<std::int64_t> draw_pictures(const Curriculum& curriculum, double progress,
                                        std::int64_t count, datasets::SplitMix64& generator) {
  std::size_t stage = 0;
  while (stage + 1 < kStages.size() && progress >= kStages[stage].until)
    ++stage;
  const std::vector<double>& up_to = curriculum.up_to[stage];
  std::vector<std::int64_t> drawn;
  for (std::int64_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(generator.next() >> 11U) * 0x1.0p-53;
    const auto place = std::upper_bound(up_to.begin(), up_to.end(), share * up_to.back());
    const auto index = std::min<std::ptrdiff_t>(
        place - up_to.begin(), static_cast<std::ptrdiff_t>(curriculum.training.size()) - 1);
    drawn.push_back(curriculum.training[static_cast<std::size_t>(index)]);
  }
  return drawn;
}

}  // namespace petlab::pretrain
