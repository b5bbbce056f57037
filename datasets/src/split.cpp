#include "petlab/datasets/split.hpp"

#include "files.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/datasets/hash.hpp"
#include "petlab/datasets/random.hpp"
#include "petlab/sdk/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <ostream>

namespace petlab::datasets {
namespace {

using sdk::Error;
using sdk::ErrorKind;

/// "10%", "12.5%", independent of the locale.
std::string percent(double fraction) {
  std::array<char, 32> buffer{};
  const double value = std::round(fraction * 1e6) / 1e4;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return std::string(buffer.data(), end) + "%";
}

void check_fraction(double fraction) {
  if (!(fraction > 0 && fraction < 1)) {
    throw Error(ErrorKind::config, "the fraction of a split is " + std::to_string(fraction) +
                                       ", expected more than 0 and less than 1");
  }
}

std::string hash_of(const Dataset& dataset, const Split& split) {
  Sha256 hash;
  hash.update_text("petlab split 1");
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    hash.update_text(dataset.domains[d].name);
    for (const auto* part : {&split.train[d], &split.test[d]}) {
      hash.update_text(std::to_string(part->size()));
      for (const std::int64_t i : *part) {
        hash.update_text(dataset.domains[d].samples[static_cast<std::size_t>(i)].id);
      }
    }
  }
  return to_hex(hash.finish());
}

/// How many of a class's n pictures are picked.
std::size_t picked(double fraction, std::size_t n) {
  if (n < 2) return 0;
  const auto rounded =
      static_cast<std::size_t>(std::floor(fraction * static_cast<double>(n) + 0.5));
  return std::clamp<std::size_t>(rounded, 1, n - 1);
}

/// Picks `fraction` of each class among `candidates` (ascending) of one domain.
void divide(const Dataset& dataset, const Domain& domain, std::vector<std::int64_t> candidates,
            double fraction, std::uint64_t seed, std::vector<std::int64_t>& chosen,
            std::vector<std::int64_t>& rest) {
  std::map<std::int64_t, std::vector<std::int64_t>> by_class;
  for (const std::int64_t i : candidates) {
    by_class[domain.samples[static_cast<std::size_t>(i)].label].push_back(i);
  }
  for (auto& [label, members] : by_class) {
    // A stream for each class of each domain, so that other classes and domains have no influence.
    const std::uint64_t stream =
        hash_name(dataset.classes[static_cast<std::size_t>(label)], hash_name(domain.name + "/"));
    SplitMix64 mix(seed);
    SplitMix64 generator(mix.next() ^ stream);
    shuffle(members, generator);
    const auto middle =
        members.begin() + static_cast<std::ptrdiff_t>(picked(fraction, members.size()));
    chosen.insert(chosen.end(), members.begin(), middle);
    rest.insert(rest.end(), middle, members.end());
  }
  std::sort(chosen.begin(), chosen.end());
  std::sort(rest.begin(), rest.end());
}

}  // namespace

Split make_split(const Dataset& dataset, double fraction, std::uint64_t seed) {
  check_fraction(fraction);
  Split split;
  split.name = "stratified-" + percent(fraction) + "-seed" + std::to_string(seed);
  split.fraction = fraction;
  split.seed = seed;
  split.train.resize(dataset.domains.size());
  split.test.resize(dataset.domains.size());
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const Domain& domain = dataset.domains[d];
    std::vector<std::int64_t> all(domain.samples.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = static_cast<std::int64_t>(i);
    divide(dataset, domain, std::move(all), fraction, seed, split.train[d], split.test[d]);
  }
  split.hash = hash_of(dataset, split);
  return split;
}

Split make_validation_split(const Dataset& dataset, const Split& split, double fraction,
                            std::uint64_t seed) {
  check_fraction(fraction);
  Split result;
  result.name = split.name + "-validation-" + percent(fraction);
  result.fraction = fraction;
  result.seed = seed;
  result.train.resize(dataset.domains.size());
  result.test.resize(dataset.domains.size());
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    divide(dataset, dataset.domains[d], split.train[d], fraction, seed, result.test[d],
           result.train[d]);
  }
  result.hash = hash_of(dataset, result);
  return result;
}

void write_split(const std::filesystem::path& file, const Dataset& dataset, const Split& split) {
  std::string text = "domain,id,part\n";
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const Domain& domain = dataset.domains[d];
    for (const auto& [part, name] :
         {std::pair{&split.train[d], "train"}, {&split.test[d], "test"}}) {
      for (const std::int64_t i : *part) {
        text += csv_field(domain.name) + "," +
                csv_field(domain.samples[static_cast<std::size_t>(i)].id) + "," + name + "\n";
      }
    }
  }
  write_file(file, text);
}

Split read_split(const std::filesystem::path& file, const Dataset& dataset) {
  const std::size_t n_domains = dataset.domains.size();
  std::map<std::string, std::size_t> domain_index;
  std::vector<std::map<std::string, std::int64_t>> unlisted(n_domains);
  for (std::size_t d = 0; d < n_domains; ++d) {
    domain_index[dataset.domains[d].name] = d;
    for (std::size_t i = 0; i < dataset.domains[d].samples.size(); ++i) {
      unlisted[d][dataset.domains[d].samples[i].id] = static_cast<std::int64_t>(i);
    }
  }
  Split split;
  split.name = file.filename().string();
  split.train.resize(n_domains);
  split.test.resize(n_domains);
  std::size_t line = 1;
  for (const auto& [domain, id, part] : read_csv<3>(file, {"domain", "id", "part"})) {
    const std::string where = file.string() + " line " + std::to_string(++line);
    const auto d = domain_index.find(domain);
    if (d == domain_index.end()) {
      throw Error(ErrorKind::data,
                  where + ": data set '" + dataset.name + "' has no domain '" + domain + "'");
    }
    const auto sample = unlisted[d->second].find(id);
    if (sample == unlisted[d->second].end()) {
      throw Error(ErrorKind::data, where + ": picture '" + id + "' is not in domain '" + domain +
                                       "' or is listed twice");
    }
    if (part != "train" && part != "test") {
      throw Error(ErrorKind::data, where + ": part is '" + part + "', expected 'train' or 'test'");
    }
    (part == "train" ? split.train : split.test)[d->second].push_back(sample->second);
    unlisted[d->second].erase(sample);
  }
  for (std::size_t d = 0; d < n_domains; ++d) {
    if (!unlisted[d].empty()) {
      throw Error(ErrorKind::data, file.string() + " lists " + std::to_string(unlisted[d].size()) +
                                       " pictures too few, the first is '" +
                                       unlisted[d].begin()->first + "'");
    }
    std::sort(split.train[d].begin(), split.train[d].end());
    std::sort(split.test[d].begin(), split.test[d].end());
  }
  split.hash = hash_of(dataset, split);
  return split;
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
        << high << " a class), " << split.test[d].size() << " test\n";
  }
  out << "  hash " << split.hash << "\n";
}

}  // namespace petlab::datasets
