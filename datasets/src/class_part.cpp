#include "petlab/datasets/class_part.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/dataset_hash.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace petlab::datasets {

std::string to_string(ClassPart part) {
  return kClassPartNames.at(static_cast<std::size_t>(part));
}

std::string class_order(const Dataset& dataset) {
  return std::is_sorted(dataset.classes.begin(), dataset.classes.end()) ? "name" : "label";
}

void take_classes(Dataset& dataset, ClassPart part) {
  dataset.class_part = part;
  if (part == ClassPart::all) return;
  const auto bases = static_cast<std::int64_t>((dataset.classes.size() + 1) / 2);
  for (Domain& domain : dataset.domains) {
    std::erase_if(domain.classes,
                  [&](std::int64_t label) { return (label < bases) != (part == ClassPart::base); });
    if (domain.classes.size() < 2)
      base::throw_data_error(
          "domain '" + domain.name + "' of " + dataset.name + " has " +
          std::to_string(domain.classes.size()) + " of the " + to_string(part) +
          " classes (the first half of all " + std::to_string(dataset.classes.size()) + " by " +
          class_order(dataset) + " are base, the others new), expected at least two");
  }
}

std::string dataset_hash(const Dataset& dataset) {
  if (dataset.class_part == ClassPart::all) return dataset.fingerprint;
  base::Sha256 hash;
  hash.update_text("petlab class part 1");
  hash.update_text(dataset.fingerprint);
  hash.update_text(to_string(dataset.class_part));
  return hash.finish_hex();
}

}  // namespace petlab::datasets
