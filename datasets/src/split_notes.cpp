#include "petlab/datasets/split_notes.hpp"

#include "class_names.hpp"

#include <algorithm>
#include <map>

namespace petlab::datasets {
namespace {

using Counts = std::map<std::int64_t, std::int64_t>;

Counts count(const Domain& domain, const std::vector<std::int64_t>& samples) {
  Counts counts;
  for (const std::int64_t label : domain.classes)
    counts[label] = 0;
  for (const std::int64_t i : samples)
    ++counts[domain.samples[static_cast<std::size_t>(i)].label];
  return counts;
}

/// "1 of 3 classes (mug)", with the first few names.
std::string share(const std::vector<std::string>& names, std::size_t all) {
  constexpr std::size_t kShown = 3;
  std::string text = std::to_string(names.size()) + " of " + std::to_string(all) +
                     (all == 1 ? " class (" : " classes (");
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  return text + (names.size() > kShown ? " ...)" : ")");
}

void note_domain(const Dataset& dataset, const Domain& domain, const Counts& train,
                 const Counts& test, std::int64_t shots, std::vector<std::string>& notes) {
  std::vector<std::string> never_trained;
  std::vector<std::string> never_tested;
  std::vector<std::string> few;
  for (const std::int64_t label : domain.classes) {
    const std::string& name = dataset.classes[static_cast<std::size_t>(label)];
    const std::int64_t trained = train.at(label);
    const std::int64_t tested = test.at(label);
    if (trained == 0 && tested > 0) never_trained.push_back(name);
    if (trained > 0 && tested == 0) never_tested.push_back(name);
    if (trained > 0 && trained < shots) few.push_back(name + ": " + std::to_string(trained));
  }
  const std::string where = "domain '" + domain.name + "'";
  const std::size_t all = domain.classes.size();
  if (all == 1) notes.push_back(where + " has one class: its accuracy is always 100 %");
  if (!few.empty())
    notes.push_back(where + ": " + share(few, all) + (few.size() == 1 ? " has" : " have") +
                    " fewer than the " + std::to_string(shots) +
                    " training images that were asked for");
  if (!never_trained.empty())
    notes.push_back(where + ": " + share(never_trained, all) +
                    (never_trained.size() == 1 ? " is" : " are") + " tested and never trained on");
  if (!never_tested.empty())
    notes.push_back(where + ": " + share(never_tested, all) +
                    (never_tested.size() == 1 ? " is" : " are") + " trained on and never tested");
}

void note_identifiers(const Dataset& dataset, std::vector<std::string>& notes) {
  std::vector<std::string> names;
  for (const std::string& name : dataset.display_names)
    if (looks_like_identifier(name)) names.push_back(name);
  // One such name among words may be a word.
  if (names.empty() || 2 * names.size() < dataset.display_names.size()) return;
  notes.push_back("class names look like identifiers, which prompts would hold: " +
                  share(names, dataset.display_names.size()) +
                  "; class-names = FILE in [dataset] (--class-names) gives them names");
}

}  // namespace

std::vector<std::string> split_notes(const Dataset& dataset, const Split& split,
                                     std::int64_t shots) {
  std::vector<std::string> notes;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const Domain& domain = dataset.domains[d];
    note_domain(dataset, domain, count(domain, split.train[d]), count(domain, split.test[d]), shots,
                notes);
  }
  note_identifiers(dataset, notes);
  return notes;
}

std::string split_obstacle(const Dataset& dataset, const Split& split) {
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const Domain& domain = dataset.domains[d];
    const bool is_trained = !split.train[d].empty();
    if (is_trained && !split.test[d].empty()) continue;
    const bool is_single = domain.samples.size() == domain.classes.size();
    return "domain '" + domain.name + "' has no " + (is_trained ? "test" : "training") +
           " images in split " + split.name +
           (is_trained && is_single ? ", for each of its classes has one image, which trains"
                                    : "") +
           ": leave the domain out with domains in [dataset] (--domains), or choose another split";
  }
  return "";
}

}  // namespace petlab::datasets
