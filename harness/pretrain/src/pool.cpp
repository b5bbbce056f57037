#include "petlab/pretrain/pool.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/random.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/datasets/tools/iconify.hpp"
#include "petlab/pretrain/emoji_words.hpp"
#include "petlab/pretrain/synonyms.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace petlab::pretrain {

namespace {

/// At most so many drawings of one subject by one family: sets repeat a drawing in many weights.
constexpr std::size_t kMaxPerSubject = 3;
constexpr std::size_t kMinFamilies = 2;
constexpr std::size_t kMaxNames = 4;

/// Designers who drew no evaluation picture and give everything. Sorted.
constexpr std::array<std::string_view, 16> kFreeFamilies = {"boxicons",   "devicon",
                                                            "fluent",     "fontawesome",
                                                            "game-icons", "healthicons",
                                                            "hugeicons",  "ionicons",
                                                            "lucide",     "material",
                                                            "mdi",        "mingcute",
                                                            "ri",         "streamline-ultimate",
                                                            "tabler",     "whh"};

constexpr std::array<std::string_view, 11> kLicences = {
    "Apache-2.0", "BSD-3-Clause", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0",
    "CC0-1.0",    "ISC",          "MIT",       "OFL-1.1",   "Unlicense"};

/// Logos, flags, weather, file types, animations and symbols of one trade. Sorted.
constexpr std::array<std::string_view, 27> kLeftOutSets = {"academicons",
                                                           "arcticons",
                                                           "bpmn",
                                                           "catppuccin",
                                                           "cif",
                                                           "circle-flags",
                                                           "devicon",
                                                           "devicon-plain",
                                                           "dinkie-icons",
                                                           "file-icons",
                                                           "flag",
                                                           "flagpack",
                                                           "fontelico",
                                                           "gcp",
                                                           "geo",
                                                           "ginetex",
                                                           "k8s",
                                                           "line-md",
                                                           "material-icon-theme",
                                                           "meteocons",
                                                           "nonicons",
                                                           "skill-icons",
                                                           "svg-spinners",
                                                           "unjs",
                                                           "vscode-icons",
                                                           "wi",
                                                           "wi-dynamic"};

// contains() searches by halving.
static_assert(std::is_sorted(kFreeFamilies.begin(), kFreeFamilies.end()));
static_assert(std::is_sorted(kLicences.begin(), kLicences.end()));
static_assert(std::is_sorted(kLeftOutSets.begin(), kLeftOutSets.end()));

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& sorted, std::string_view value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

std::set<std::string> class_names_of(const std::filesystem::path& recipe_dir) {
  std::set<std::string> names;
  for (const auto& row :
       datasets::read_csv<2>(recipe_dir / "class_phrases.csv", {"class", "phrase"}))
    names.insert(row[0]);
  return names;
}

ForbiddenWords read_forbidden(const std::filesystem::path& recipe_dir) {
  std::vector<std::string> phrases;
  for (const auto& row :
       datasets::read_csv<2>(recipe_dir / "class_phrases.csv", {"class", "phrase"}))
    phrases.push_back(row[1]);
  const std::set<std::string> names = class_names_of(recipe_dir);
  return {phrases, {names.begin(), names.end()}};
}

/// All names of each drawing, by its body: of the icons that share it, and aliases that are neither
/// turned nor mirrored.
std::multimap<std::string_view, std::string> names_by_body(const datasets::tools::IconSet& set) {
  std::multimap<std::string_view, std::string> result;
  for (const auto& [name, icon] : set.icons())
    result.emplace(icon.body, name);
  for (const auto& [alias, icon] : set.aliases())
    if (result.contains(icon.body)) result.emplace(icon.body, alias);
  return result;
}

/// Icon -> topics.
std::multimap<std::string_view, std::string> topics_of(const datasets::tools::IconSet& set) {
  std::multimap<std::string_view, std::string> result;
  for (const auto& [heading, names] : set.categories()) {
    const std::string topic = topic_of(heading);
    if (topic.empty()) continue;
    for (const std::string& name : names)
      result.emplace(name, topic);
  }
  return result;
}

/// "Tabler Icons" -> "tabler".
std::string title_of(const datasets::tools::IconSetInfo& info) {
  std::string title;
  for (const std::string& word : words_of(info.name))
    if (word != "icons" && word != "icon") title += (title.empty() ? "" : " ") + word;
  return title;
}

bool is_usable(const datasets::tools::Icon& icon) {
  return !icon.hidden && icon.body.find("<animate") == std::string::npos &&
         icon.body.find("<set ") == std::string::npos;
}

}  // namespace

PoolRule::PoolRule(const std::filesystem::path& recipe_dir)
    : forbidden_(read_forbidden(recipe_dir)) {
  for (const auto& row :
       datasets::read_csv<2>(recipe_dir / "set_families.csv", {"set", "designer_family"}))
    families_[row[0]] = row[1];
  for (const auto& row :
       datasets::read_csv<4>(recipe_dir / "manifest.csv", {"domain", "class", "set", "icon"})) {
    const std::string family = family_of(row[2]);
    if (is_free(family))
      throw base::Error(base::ErrorKind::data,
                        "the evaluation image " + row[2] + ":" + row[3] + " is by the designer '" +
                            family + "', whose images pretraining uses without limits; take it " +
                            "out of the manifest or the designer out of harness/pretrain");
    evaluation_families_.insert(family);
  }
}

std::string PoolRule::family_of(const std::string& set) const {
  const auto found = families_.find(set);
  return found == families_.end() ? set : found->second;
}

bool PoolRule::is_free(const std::string& family) const {
  return contains(kFreeFamilies, family);
}

bool PoolRule::allows(const std::string& set, const std::string& icon) const {
  return is_free(family_of(set)) || forbidden_.first_in(icon).empty();
}

std::vector<PoolIcon> select_pool(const std::filesystem::path& package_dir, const PoolRule& rule) {
  datasets::tools::check_icon_package(package_dir);
  std::map<std::pair<std::string, std::string>, std::vector<PoolIcon>> drawings;
  std::map<std::string, std::set<std::string>> families_of_subject;
  for (const std::string& set_name : datasets::tools::list_icon_sets(package_dir)) {
    if (contains(kLeftOutSets, set_name)) continue;
    const datasets::tools::IconSet set = datasets::tools::IconSet::read(package_dir, set_name);
    if (!contains(kLicences, set.info().licence.spdx) || set.info().category == "Logos") continue;
    const std::string family = rule.family_of(set_name);
    const std::string title = title_of(set.info());
    const auto names = names_by_body(set);
    const auto topics = topics_of(set);
    for (const auto& [name, icon] : set.icons()) {
      const auto [first_name, last_name] = names.equal_range(icon.body);
      const bool is_allowed = std::all_of(first_name, last_name, [&](const auto& entry) {
        return rule.allows(set_name, entry.second);
      });
      if (!is_usable(icon) || !is_allowed) continue;
      const std::string own_name = subject_of(name);
      const std::string subject = canonical_subject(own_name);
      if (subject.empty()) continue;
      PoolIcon entry{.set = set_name,
                     .name = name,
                     .family = family,
                     .subject = subject,
                     .is_emoji = set.info().category == "Emoji",
                     .set_title = title,
                     .own_names = {own_name},
                     .topics = {}};
      for (auto same = first_name; same != last_name; ++same)
        if (const std::string other = subject_of(same->second);
            !other.empty() && other != own_name && entry.own_names.size() < kMaxNames)
          entry.own_names.push_back(other);
      const auto [first_topic, last_topic] = topics.equal_range(name);
      for (auto topic = first_topic; topic != last_topic; ++topic)
        entry.topics.push_back(topic->second);
      drawings[{family, subject}].push_back(std::move(entry));
      families_of_subject[subject].insert(family);
    }
  }
  std::vector<PoolIcon> pool;
  for (auto& [key, icons] : drawings) {
    if (families_of_subject[key.second].size() < kMinFamilies) continue;
    // Which three: by chance, but the same ones for everybody.
    base::SplitMix64 generator(base::hash_name(key.first + ":" + key.second));
    base::shuffle(icons, generator);
    if (icons.size() > kMaxPerSubject) icons.resize(kMaxPerSubject);
    pool.insert(pool.end(), icons.begin(), icons.end());
  }
  std::sort(pool.begin(), pool.end(), [](const PoolIcon& a, const PoolIcon& b) {
    return std::tie(a.set, a.name) < std::tie(b.set, b.name);
  });
  return pool;
}

}  // namespace petlab::pretrain
