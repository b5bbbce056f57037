#include "petlab/datasets/dataset.hpp"

#include "parallel.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/datasets/stored_picture.hpp"

#include <algorithm>
#include <map>
#include <ostream>

namespace petlab::datasets {

std::string to_string(Part part) {
  switch (part) {
    case Part::none:
      return "none";
    case Part::train:
      return "train";
    case Part::validation:
      return "validation";
    case Part::test:
      return "test";
  }
  return "";
}

std::string fingerprint(const Dataset& dataset, unsigned threads) {
  return fingerprint(dataset, hash_files(dataset, threads));
}

std::vector<Digest> hash_files(const Dataset& dataset, unsigned threads) {
  const std::vector<const Sample*> samples = samples_of(dataset);
  const std::vector<std::size_t> order = storage_order(samples);
  std::vector<Digest> digests(samples.size());
  parallel_for(samples.size(), threads, [&](std::size_t i) {
    base::Sha256 hash;
    hash.update(read_picture(*samples[order[i]]));
    digests[order[i]] = hash.finish();
  });
  return digests;
}

std::string fingerprint(const Dataset& dataset, const std::vector<Digest>& digests) {
  base::Sha256 total;
  total.update_text("petlab dataset 1");
  for (const auto& name : dataset.classes)
    total.update_text(name);
  std::size_t i = 0;
  for (const Domain& domain : dataset.domains)
    for (const Sample& sample : domain.samples) {
      total.update_text(sample.id);
      total.update_text(std::to_string(sample.label));
      total.update(digests.at(i++));
    }
  return total.finish_hex();
}

std::size_t sample_count(const Dataset& dataset) {
  std::size_t count = 0;
  for (const auto& domain : dataset.domains)
    count += domain.samples.size();
  return count;
}

void print_summary(std::ostream& out, const Dataset& dataset) {
  out << dataset.name << " " << dataset.version << ": " << sample_count(dataset) << " images, "
      << dataset.classes.size() << " classes, " << dataset.domains.size() << " domains\n";
  for (const auto& domain : dataset.domains) {
    std::map<std::int64_t, std::size_t> counts;
    for (const auto& sample : domain.samples)
      ++counts[sample.label];
    const auto [low, high] =
        std::minmax_element(counts.begin(), counts.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; });
    out << "  " << domain.name << ": " << domain.samples.size() << " images, "
        << domain.classes.size() << " classes of " << low->second << " ("
        << dataset.classes[static_cast<std::size_t>(low->first)] << ") to " << high->second << " ("
        << dataset.classes[static_cast<std::size_t>(high->first)] << ")\n";
  }
  for (const std::string& note : dataset.notes)
    out << "  note: " << note << "\n";
  if (!dataset.text_template.empty())
    out << "  text of its publication for zero-shot: " << dataset.text_template << "\n";
  if (!dataset.fingerprint.empty()) out << "  fingerprint " << dataset.fingerprint << "\n";
}

}  // namespace petlab::datasets
