#include "petlab/datasets/split.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/random.hpp"
#include "split_parts.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>

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

void check_amount(Amount amount) {
  if (amount.shots > 0) return;
  if (amount.shots < 0)
    throw Error(ErrorKind::config, "the pictures a class of a split are " +
                                       std::to_string(amount.shots) + ", expected at least 1");
  if (!(amount.fraction > 0 && amount.fraction < 1))
    throw Error(ErrorKind::config, "the fraction of a split is " + std::to_string(amount.fraction) +
                                       ", expected more than 0 and less than 1");
}

/// How many of a class's n pictures are picked; both sides get one where there are two.
std::size_t picked(Amount amount, std::size_t n) {
  if (n < 2) return 0;
  const auto wanted =
      amount.shots > 0
          ? static_cast<std::size_t>(amount.shots)
          : static_cast<std::size_t>(std::floor(amount.fraction * static_cast<double>(n) + 0.5));
  return std::clamp<std::size_t>(wanted, 1, n - 1);
}

/// Picks `amount` of each class among `candidates` (ascending) of one domain. The only picture of a
/// class is picked if `only_one` says so.
void divide(const Dataset& dataset, const Domain& domain,
            const std::vector<std::int64_t>& candidates, Amount amount, bool only_one,
            std::uint64_t seed, std::vector<std::int64_t>& chosen,
            std::vector<std::int64_t>& rest) {
  std::map<std::int64_t, std::vector<std::int64_t>> by_class;
  for (const std::int64_t i : candidates) {
    by_class[domain.samples[static_cast<std::size_t>(i)].label].push_back(i);
  }
  for (auto& [label, members] : by_class) {
    // A stream for each class of each domain, so that other classes and domains have no influence.
    const std::uint64_t stream = base::hash_name(dataset.classes[static_cast<std::size_t>(label)],
                                                 base::hash_name(domain.name + "/"));
    base::SplitMix64 mix(seed);
    base::SplitMix64 generator(mix.next() ^ stream);
    base::shuffle(members, generator);
    const std::size_t n = members.size() == 1 && only_one ? 1 : picked(amount, members.size());
    const auto middle = members.begin() + static_cast<std::ptrdiff_t>(n);
    chosen.insert(chosen.end(), members.begin(), middle);
    rest.insert(rest.end(), middle, members.end());
  }
  std::sort(chosen.begin(), chosen.end());
  std::sort(rest.begin(), rest.end());
}

/// Picks training pictures from all, or from the training part of `base`, whose test part then
/// tests.
Split pick(const Dataset& dataset, const Split* base, Amount amount, std::uint64_t seed) {
  check_amount(amount);
  Split split = empty_split(dataset);
  split.name = "stratified-" + text_of(amount) + "-seed" + std::to_string(seed);
  split.fraction = amount.shots > 0 ? 0 : amount.fraction;
  split.seed = seed;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const Domain& domain = dataset.domains[d];
    std::vector<std::int64_t> candidates;
    if (base != nullptr) {
      candidates = base->train[d];
    } else {
      for (std::size_t i = 0; i < domain.samples.size(); ++i)
        candidates.push_back(static_cast<std::int64_t>(i));
    }
    divide(dataset, domain, candidates, amount, /*only_one=*/true, seed, split.train[d],
           split.test[d]);
  }
  if (base != nullptr) {
    split.name += "-of-" + base->name;
    split.test = base->test;
    split.validation = base->validation;
  }
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
    divide(dataset, dataset.domains[d], split.train[d], amount, /*only_one=*/false, seed,
           result.validation[d], result.train[d]);
  result.hash = hash_of(dataset, result);
  return result;
}

Split tested_on_validation(const Dataset& dataset, const Split& split) {
  Split result = split;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d)
    if (split.validation.size() <= d || split.validation[d].empty())
      throw Error(ErrorKind::data, "split " + split.name +
                                       " has no validation pictures in domain '" +
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
  if (listed)
    split = choice.lists.empty() ? own_split(dataset) : read_list_split(choice.lists, dataset);
  if (choice.kind != Kind::list) {
    const Amount amount = choice.kind == Kind::shots ? Amount{.shots = choice.train_shots}
                                                     : Amount{.fraction = choice.train_fraction};
    split = pick(dataset, listed ? &split : nullptr, amount, seed);
  }
  split.seed = seed;
  const bool carve = choice.validation.fraction > 0 || choice.validation.shots > 0;
  return carve ? with_validation(dataset, split, choice.validation, seed) : split;
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
