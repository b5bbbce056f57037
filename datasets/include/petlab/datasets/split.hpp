#pragma once

#include "petlab/datasets/dataset.hpp"

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace petlab::datasets {

/// Which pictures train, validate and test: disjoint, per domain, as ascending indices into
/// samples. Pictures that a list leaves out are in none of them. Development images
/// (SplitChoice::development_fraction) are the validation part.
struct Split {
  std::string name;     ///< "stratified-10%-seed1", or the file it was read from
  double fraction = 0;  ///< asked for in train; 0 when it was not a share
  std::uint64_t seed = 0;
  std::vector<std::vector<std::int64_t>> train;
  std::vector<std::vector<std::int64_t>> test;
  std::string hash;  ///< SHA-256 over the ids in train, test and validation; the name is not in it
  std::vector<std::vector<std::int64_t>> validation = {};
};

/// How much of each class of each domain is picked: a share of its pictures or, above 0, a number.
struct Amount {
  double fraction = 0;
  std::int64_t shots = 0;
};

/// The paper's data protocol: `fraction` of each class of each domain trains, the rest tests. A
/// class of n pictures gives round(fraction * n), at least 1 and, where n >= 2, at most n - 1; a
/// class of one picture trains and is not tested. Depends on names, ids, fraction and seed alone:
/// not on the number of threads, the platform, or which other domains are loaded. A smaller
/// fraction's training pictures are among a larger one's. Throws base::Error(config) unless
/// 0 < fraction < 1.
[[nodiscard]] Split make_split(const Dataset& dataset, double fraction, std::uint64_t seed);

/// The same with `shots` training pictures of each class of each domain, fewer where a class has
/// not one more for the test. They are among those of more shots, and of a fraction that gives
/// more. Throws base::Error(config) unless shots >= 1.
[[nodiscard]] Split make_shots_split(const Dataset& dataset, std::int64_t shots,
                                     std::uint64_t seed);

/// Moves pictures from train to validation, by the same rule; a class's last training picture
/// stays.
[[nodiscard]] Split with_validation(const Dataset& dataset, const Split& split, Amount amount,
                                    std::uint64_t seed);

/// The validation pictures in the place of the test pictures, which are in no part any more. Throws
/// base::Error(data) naming a domain without any.
[[nodiscard]] Split tested_on_validation(const Dataset& dataset, const Split& split);

/// Both at once: training pictures, some of them held out and tested on.
[[nodiscard]] Split make_validation_split(const Dataset& dataset, const Split& split,
                                          double fraction, std::uint64_t seed);

/// The split that a data set brings with it (Sample::part). Throws base::Error(config) when it has
/// none, base::Error(data) naming a domain without training or test pictures.
[[nodiscard]] Split own_split(const Dataset& dataset, bool needs_test = true);

/// CSV with the columns domain, id, part (train | validation | test) and hash: the split's, in the
/// first row.
void write_split(const std::filesystem::path& file, const Dataset& dataset, const Split& split);

/// Reads such a list for this data set. Throws base::Error(data) naming file and line for a domain
/// or id that the data set has not, a part of another name, and a picture that is listed twice or
/// not at all, and when the content is not what the hash says.
[[nodiscard]] Split read_split(const std::filesystem::path& file, const Dataset& dataset);

/// A split by lists: one of write_split's, or published ones (lists.hpp), whose names say train,
/// validation or test. Throws base::Error(data) naming file and line of a picture that the data set
/// has not, a file whose part is not known, a domain without training or test pictures.
[[nodiscard]] Split read_list_split(const std::vector<std::filesystem::path>& files,
                                    const Dataset& dataset, bool needs_test = true);

/// Everything that decides a split but the seed.
struct SplitChoice {
  enum class Kind { percent, shots, list };
  Kind kind = Kind::percent;
  double train_fraction = 0.1;   ///< of percent
  std::int64_t train_shots = 0;  ///< of shots
  /// Lists. Of kind list: the split. Else training pictures are picked from their training part
  /// only, and their test part tests.
  std::vector<std::filesystem::path> lists = {};
  bool own_lists = false;  ///< the data set's own split takes the place of `lists`
  /// False where validation pictures are tested on: lists need no test part then, but where they
  /// are the split and nothing is carved a validation part.
  bool needs_test = true;
  Amount validation = {};  ///< carved from training
  /// Where it says an amount, as large as the training part's or larger and of the same kind: the
  /// test images are those that a split of this amount leaves, so that splits of several sizes have
  /// one test set. Images between the two are in no part. Without meaning beside lists, whose test
  /// part tests.
  Amount largest = {};
  /// Above 0: this share of each class of each domain is set aside as the validation part before
  /// training images are picked, by `development_seed` alone: the same images for every seed of the
  /// split. A class of n images gives round(share * n), at least 1 and at most n - 2, so that one
  /// stays to train and one to test; a class of one or two gives none. With lists, the images come
  /// from the lists' training part, n counts that part, and one stays to train. A share of training
  /// images stays one of all n.
  double development_fraction = 0;
  std::uint64_t development_seed = 1;
};

/// The split of a choice and a seed; pictures of classes that their domain has not (take_classes)
/// are in none of its parts, and the others in those that they have among all classes. Throws
/// base::Error(config) for development images of kind list, whose lists say themselves what trains
/// and tests, where they and the training share make up the whole, and where `largest` is less than
/// the training part; base::Error(data) naming a domain whose classes are too small to give any.
[[nodiscard]] Split choose_split(const Dataset& dataset, const SplitChoice& choice,
                                 std::uint64_t seed);

/// Per domain: training, validation and test pictures, fewest and most a class in training.
void print_summary(std::ostream& out, const Dataset& dataset, const Split& split);

}  // namespace petlab::datasets
