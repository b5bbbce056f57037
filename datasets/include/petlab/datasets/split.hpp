#pragma once

#include "petlab/datasets/dataset.hpp"

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace petlab::datasets {

/// Which pictures train and which test. Every sample of every domain is in exactly one of the two.
struct Split {
  std::string name;     ///< "stratified-10%-seed1", or the file it was read from
  double fraction = 0;  ///< asked for in train; 0 when read from a file
  std::uint64_t seed = 0;
  std::vector<std::vector<std::int64_t>> train;  ///< per domain: indices into samples, ascending
  std::vector<std::vector<std::int64_t>> test;
  std::string hash;  ///< SHA-256 over the ids in train and in test; the name is not in it
};

/// The paper's data protocol: `fraction` of each class of each domain trains, the rest tests. A
/// class of n pictures gives round(fraction * n), but at least 1 to each side when n >= 2; a class
/// of one picture is tested only. Depends on names, ids, fraction and seed alone: not on the
/// number of threads, the platform, or which other domains are loaded. A smaller fraction's
/// training pictures are among a larger one's. Throws sdk::Error(config) unless 0 < fraction < 1.
[[nodiscard]] Split make_split(const Dataset& dataset, double fraction, std::uint64_t seed);

/// Takes validation pictures out of a split's training pictures, by the same rule: the result's
/// `train` is what is left of it and its `test` holds the validation pictures. Test pictures of
/// `split` are in neither. A class with one training picture keeps it in train.
[[nodiscard]] Split make_validation_split(const Dataset& dataset, const Split& split,
                                          double fraction, std::uint64_t seed);

/// CSV with the columns domain, id, part (train | test).
void write_split(const std::filesystem::path& file, const Dataset& dataset, const Split& split);

/// Reads such a list for this data set. Throws sdk::Error(data) naming file and line for a domain
/// or id that the data set has not, a part of another name, and a picture that is listed twice or
/// not at all.
[[nodiscard]] Split read_split(const std::filesystem::path& file, const Dataset& dataset);

/// Per domain: training and test pictures, classes in training, fewest and most a class.
void print_summary(std::ostream& out, const Dataset& dataset, const Split& split);

}  // namespace petlab::datasets
