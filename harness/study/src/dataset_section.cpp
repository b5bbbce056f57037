#include "dataset_section.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/study/train_sizes.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace petlab::study {
namespace {

/// Where a key of [dataset] was written, by its name; "" for one that nobody wrote.
using Said = std::function<std::string(const char* key)>;

/// The keys about development images. `said` names where a key of [dataset] was written.
void check_development(const engine::DatasetSpec& d, const Said& said) {
  const bool scored = d.validation == engine::ValidationPart::development;
  if (d.development_fraction == 0.0) {
    if (scored)
      base::throw_config_error(said("validation") +
                               ": validation = development needs a development-fraction above 0");
    if (!said("development-seed").empty())
      base::throw_config_error(said("development-seed") +
                               ": development-seed needs a development-fraction above 0");
    return;
  }
  const std::string where = said("development-fraction") + ": development-fraction ";
  if (d.split == "list")
    base::throw_config_error(where +
                             "is for split = percent and shots; with split = list the lists say "
                             "which images train, validate and test");
  if (d.validation == engine::ValidationPart::list)
    base::throw_config_error(
        where +
        "sets images aside, but validation = list tests on those of the lists; expected "
        "one of them, or validation = development");
  const double share = std::max(d.train_fraction, d.largest_train_size);
  if (d.split == "percent" && share + d.development_fraction >= 1.0)
    base::throw_config_error(where + "is " + base::number_text(d.development_fraction) +
                             ", expected less than 1 together with train-fraction, " +
                             base::number_text(share));
}

/// Several training sizes, and the one that decides what tests.
void check_train_sizes(const engine::DatasetSpec& d, const Said& said, bool has_search) {
  const double largest = largest_train_size(d);
  const bool shots = d.split == "shots";
  if (largest > 0.0 && has_search)
    base::throw_config_error(said(shots ? "train-shots" : "train-fraction") +
                             ": a study with [search] chooses settings for one training size, "
                             "expected one value, or no search");
  if (d.largest_train_size == 0.0) return;
  const std::string where = said("largest-train-size") + ": largest-train-size ";
  if (d.split == "list")
    base::throw_config_error(where +
                             "is for split = percent and shots; with split = list the lists say "
                             "which images test");
  const double size =
      std::max(largest, shots ? static_cast<double>(d.train_shots) : d.train_fraction);
  const std::string value = "is " + base::number_text(d.largest_train_size) + ", expected ";
  if (d.largest_train_size < size)
    base::throw_config_error(where + value + "at least " + base::number_text(size) +
                             ", the size of the training part");
  if (shots && d.largest_train_size != std::floor(d.largest_train_size))
    base::throw_config_error(where + value + "a number of images, as train-shots is");
  if (!shots && d.largest_train_size >= 1.0)
    base::throw_config_error(where + value + "a share less than 1, as train-fraction is");
}

/// Keys of [dataset] that need or exclude each other.
void check_split(const engine::DatasetSpec& d, const Said& said, const std::string& where,
                 bool has_search) {
  if (d.split == "shots" && d.train_shots == 0)
    base::throw_config_error(
        where + ": split = shots in [dataset] needs train-shots, the images of each class");
  if (d.split != "shots" && d.train_shots > 0)
    base::throw_config_error(said("train-shots") +
                             ": train-shots is for split = shots, the split is " + d.split);
  check_train_sizes(d, said, has_search);
  const int validations = (d.validation_fraction > 0.0 ? 1 : 0) + (d.validation_shots > 0 ? 1 : 0) +
                          (d.validation != engine::ValidationPart::none ? 1 : 0);
  if (validations > 1)
    base::throw_config_error(
        where +
        ": [dataset] asks for validation images in more than one way; expected one of "
        "validation-fraction, validation-shots and validation = list or development");
  check_development(d, said);
}

}  // namespace

void complete_dataset(engine::DatasetSpec& dataset,
                      const std::map<std::string, std::string>& origins, const std::string& where,
                      bool has_search) {
  if (dataset.name.empty())
    base::throw_config_error(where + ": the study names no data set; expected name in [dataset]");
  if (dataset.root.empty())
    base::throw_config_error(
        where + ": the study does not say where its images are; expected root in [dataset]");
  if (const double largest = largest_train_size(dataset);
      largest > 0.0 && dataset.largest_train_size == 0.0)
    dataset.largest_train_size = largest;
  const Said said = [&](const char* key) {
    const auto found = origins.find(std::string("dataset.") + key);
    return found == origins.end() ? std::string() : found->second;
  };
  check_split(dataset, said, where, has_search);
}

}  // namespace petlab::study
