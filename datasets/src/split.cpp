#include "petlab/datasets/split.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/random.hpp"
#include "split_parts.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <ostream>
#include <utility>

namespace petlab::datasets {
namespace {

using base::Error;
using base::ErrorKind;

/// "10%", "12.5%", independent of the locale.
std::string percent(double fraction) {
  return base::number_text(std::round(fraction * 1e6) / 1e4) + "%";
}

std::string text_of(Amount amount) {
  return amount.shots > 0 ? std::to_string(amount.shots) + "-shot" : percent(amount.fraction);
}

bool says_amount(Amount amount) {
  return amount.shots > 0 || amount.fraction > 0;
}

void check_amount(Amount amount) {
  if (amount.shots > 0) return;
  if (amount.shots < 0)
    throw Error(ErrorKind::config, "the images a class of a split are " +
                                       std::to_string(amount.shots) + ", expected at least 1");
  if (!(amount.fraction > 0 && amount.fraction < 1))
    throw Error(ErrorKind::config, "the fraction of a split is " + std::to_string(amount.fraction) +
                                       ", expected more than 0 and less than 1");
}

using Samples = std::vector<std::int64_t>;

/// How divide() picks images of a class.
struct Division {
  Amount amount;
  std::uint64_t seed = 0;
  bool only_one = false;     ///< the only image of a class is picked
  std::size_t left = 1;      ///< so many of a class are never picked
  const char* purpose = "";  ///< opens the names of the streams of random numbers
  Samples excluded = {};     ///< ascending; they count in a class's size, and are on neither side
};

/// How many are picked of the n images of a class that has `size` with the excluded ones.
std::size_t picked(const Division& division, std::size_t size, std::size_t n) {
  if (n == 1 && division.only_one) return 1;
  if (n <= division.left) return 0;
  const Amount& amount = division.amount;
  const auto wanted =
      amount.shots > 0
          ? static_cast<std::size_t>(amount.shots)
          : static_cast<std::size_t>(std::floor(amount.fraction * static_cast<double>(size) + 0.5));
  return std::clamp<std::size_t>(wanted, 1, n - division.left);
}

/// Picks images of each class among `candidates` (ascending) of one domain.
void divide(const Dataset& dataset, const Domain& domain, const Samples& candidates,
            const Division& division, Samples& chosen, Samples& rest) {
  std::map<std::int64_t, std::vector<std::int64_t>> by_class;
  for (const std::int64_t i : candidates) {
    by_class[domain.samples[static_cast<std::size_t>(i)].label].push_back(i);
  }
  for (auto& [label, members] : by_class) {
    // A stream for each class of each domain, so that other classes and domains have no influence.
    const std::uint64_t stream =
        base::hash_name(dataset.classes[static_cast<std::size_t>(label)],
                        base::hash_name(division.purpose + domain.name + "/"));
    base::SplitMix64 mix(division.seed);
    base::SplitMix64 generator(mix.next() ^ stream);
    base::shuffle(members, generator);
    const std::size_t size = members.size();
    const Samples& excluded = division.excluded;
    std::erase_if(members, [&](std::int64_t sample) {
      return std::binary_search(excluded.begin(), excluded.end(), sample);
    });
    const std::size_t n = picked(division, size, members.size());
    const auto middle = members.begin() + static_cast<std::ptrdiff_t>(n);
    chosen.insert(chosen.end(), members.begin(), middle);
    rest.insert(rest.end(), middle, members.end());
  }
  std::sort(chosen.begin(), chosen.end());
  std::sort(rest.begin(), rest.end());
}

/// The amount that decides the test images is of the training amount's kind and not less.
void check_largest(Amount amount, Amount largest) {
  if (!says_amount(largest)) return;
  check_amount(largest);
  if ((amount.shots > 0) != (largest.shots > 0) || amount.shots > largest.shots ||
      amount.fraction > largest.fraction)
    throw Error(ErrorKind::config, "the training part of a split is " + text_of(amount) +
                                       ", its test images are those of " + text_of(largest) +
                                       "; expected the same or more");
}

/// The images of a domain that may train: all, or the training part of `base`.
Samples candidates_of(const Dataset& dataset, const Split* base, std::size_t domain) {
  if (base != nullptr) return base->train[domain];
  Samples all(dataset.domains[domain].samples.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// The development images of a choice that has some, per domain.
std::vector<Samples> development_images(const Dataset& dataset, const Split* base,
                                        const SplitChoice& choice) {
  const Division division{.amount = {.fraction = choice.development_fraction},
                          .seed = choice.development_seed,
                          .left = base == nullptr ? 2U : 1U,
                          .purpose = "development/"};
  check_amount(division.amount);
  std::vector<Samples> result(dataset.domains.size());
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    Samples rest;
    divide(dataset, dataset.domains[d], candidates_of(dataset, base, d), division, result[d], rest);
    if (result[d].empty())
      base::throw_data_error(
          "domain '" + dataset.domains[d].name +
          "' has no class that is large enough for a development image: expected at least " +
          std::to_string(division.left + 1) + " images of a class" +
          (base == nullptr ? "" : " in the lists' training part"));
  }
  return result;
}

/// Picks training pictures from all, or from the training part of `base`, whose test part then
/// tests. `development` holds none or, per domain, the images that are set aside; `largest` is
/// SplitChoice's.
Split pick(const Dataset& dataset, const Split* base, Amount amount, std::uint64_t seed,
           const std::vector<Samples>& development = {}, Amount largest = {}) {
  check_amount(amount);
  const bool one_test_set = base == nullptr && says_amount(largest);
  Split split = empty_split(dataset);
  split.name = "stratified-" + text_of(amount) + "-seed" + std::to_string(seed);
  split.fraction = amount.shots > 0 ? 0 : amount.fraction;
  split.seed = seed;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    Division division{.amount = amount, .seed = seed, .only_one = true};
    if (!development.empty()) division.excluded = development[d];
    divide(dataset, dataset.domains[d], candidates_of(dataset, base, d), division, split.train[d],
           split.test[d]);
    if (!one_test_set) continue;
    // In the same order, so that what trains here is among what a larger split trains on.
    division.amount = largest;
    Samples larger;
    split.test[d].clear();
    divide(dataset, dataset.domains[d], candidates_of(dataset, base, d), division, larger,
           split.test[d]);
  }
  if (one_test_set) split.name += "-tested-as-" + text_of(largest);
  if (base != nullptr) {
    split.name += "-of-" + base->name;
    split.test = base->test;
    split.validation = base->validation;
  }
  if (!development.empty()) split.validation = development;
  split.hash = hash_of(dataset, split);
  return split;
}

/// Leaves out pictures of classes that their domain has not.
Split of_own_classes(const Dataset& dataset, Split split) {
  if (dataset.class_part == ClassPart::all) return split;
  for (auto* part : {&split.train, &split.test, &split.validation}) {
    for (std::size_t d = 0; d < part->size(); ++d) {
      const Domain& domain = dataset.domains[d];
      std::erase_if((*part)[d], [&](std::int64_t sample) {
        return !std::binary_search(domain.classes.begin(), domain.classes.end(),
                                   domain.samples[static_cast<std::size_t>(sample)].label);
      });
    }
  }
  split.name += "-" + to_string(dataset.class_part) + "-classes";
  split.hash = hash_of(dataset, split);
  return split;
}

}  // namespace

Split make_split(const Dataset& dataset, double fraction, std::uint64_t seed) {
  return pick(dataset, nullptr, {.fraction = fraction}, seed);
}

Split make_shots_split(const Dataset& dataset, std::int64_t shots, std::uint64_t seed) {
  if (shots < 1) check_amount({.fraction = 0, .shots = shots - (shots == 0 ? 1 : 0)});
  return pick(dataset, nullptr, {.shots = shots}, seed);
}

Split with_validation(const Dataset& dataset, const Split& split, Amount amount,
                      std::uint64_t seed) {
  check_amount(amount);
  Split result = empty_split(dataset);
  result.name = split.name + "-validation-" + text_of(amount);
  result.fraction = split.fraction;
  result.seed = seed;
  result.test = split.test;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d)
    divide(dataset, dataset.domains[d], split.train[d], {.amount = amount, .seed = seed},
           result.validation[d], result.train[d]);
  result.hash = hash_of(dataset, result);
  return result;
}

Split tested_on_validation(const Dataset& dataset, const Split& split) {
  Split result = split;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d)
    if (split.validation.size() <= d || split.validation[d].empty())
      throw Error(ErrorKind::data, "split " + split.name + " has no validation images in domain '" +
                                       dataset.domains[d].name + "'");
  result.test = split.validation;
  result.validation.assign(dataset.domains.size(), {});
  result.hash = hash_of(dataset, result);
  return result;
}

Split make_validation_split(const Dataset& dataset, const Split& split, double fraction,
                            std::uint64_t seed) {
  Split result = with_validation(dataset, split, {.fraction = fraction}, seed);
  result.test = std::move(result.validation);
  result.validation.assign(dataset.domains.size(), {});
  result.fraction = fraction;
  result.hash = hash_of(dataset, result);
  return result;
}

Split choose_split(const Dataset& dataset, const SplitChoice& choice, std::uint64_t seed) {
  using Kind = SplitChoice::Kind;
  Split split;
  const bool listed = !choice.lists.empty() || choice.own_lists || choice.kind == Kind::list;
  const double development = choice.development_fraction;
  if (development > 0 && choice.kind == Kind::list)
    throw Error(ErrorKind::config,
                "a split by lists has no development images: its lists say what trains, validates "
                "and tests; expected a development fraction of 0, or a split by percent or shots");
  const double share = std::max(choice.train_fraction, choice.largest.fraction);
  if (choice.kind == Kind::percent && development > 0 && share + development >= 1)
    throw Error(ErrorKind::config, "development images (" + percent(development) +
                                       ") and training images (" + percent(share) +
                                       ") are all of a class, expected less than 100% together");
  if (listed)
    split = choice.lists.empty() ? own_split(dataset, choice.needs_test)
                                 : read_list_split(choice.lists, dataset, choice.needs_test);
  if (choice.kind != Kind::list) {
    const Amount amount = choice.kind == Kind::shots ? Amount{.shots = choice.train_shots}
                                                     : Amount{.fraction = choice.train_fraction};
    const Split* base = listed ? &split : nullptr;
    check_largest(amount, choice.largest);
    std::vector<Samples> set_aside;
    if (development > 0) set_aside = development_images(dataset, base, choice);
    Split chosen = pick(dataset, base, amount, seed, set_aside, choice.largest);
    if (development > 0)
      chosen.name += "-development-" + percent(development) + "-seed" +
                     std::to_string(choice.development_seed);
    split = std::move(chosen);
  }
  split.seed = seed;
  const bool carve = choice.validation.fraction > 0 || choice.validation.shots > 0;
  if (carve) split = with_validation(dataset, split, choice.validation, seed);
  return of_own_classes(dataset, std::move(split));
}

void print_summary(std::ostream& out, const Dataset& dataset, const Split& split) {
  out << "split " << split.name << " of " << dataset.name << " " << dataset.version << "\n";
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const Domain& domain = dataset.domains[d];
    std::map<std::int64_t, std::size_t> counts;
    for (const std::int64_t label : domain.classes)
      counts[label] = 0;
    for (const std::int64_t i : split.train[d]) {
      ++counts[domain.samples[static_cast<std::size_t>(i)].label];
    }
    std::size_t low = domain.samples.size();
    std::size_t high = 0;
    for (const auto& [label, count] : counts) {
      low = std::min(low, count);
      high = std::max(high, count);
    }
    out << "  " << domain.name << ": " << split.train[d].size() << " train (" << low << " to "
        << high << " a class), ";
    const std::size_t held_out = split.validation.size() > d ? split.validation[d].size() : 0;
    if (held_out > 0) out << held_out << " validation, ";
    out << split.test[d].size() << " test";
    const std::size_t used = split.train[d].size() + held_out + split.test[d].size();
    if (used < domain.samples.size()) out << ", " << domain.samples.size() - used << " not used";
    out << "\n";
  }
  out << "  hash " << split.hash << "\n";
}

}  // namespace petlab::datasets
