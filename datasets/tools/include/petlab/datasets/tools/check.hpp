#pragma once

#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/split.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace petlab::datasets::tools {

/// Pictures that are the same or nearly so, and which borders lie between them.
struct Likeness {
  std::vector<std::string> ids;  ///< sorted; two of a near pair
  bool identical = false;        ///< the same bytes
  int distance = 0;              ///< bits of the perceptual hash that differ
  bool across_domains = false;
  bool across_classes = false;
  bool across_parts = false;  ///< of the split: some train and some test, or validate
};

/// What `petlab datasets check` finds.
struct CheckReport {
  std::size_t pictures = 0;
  std::vector<std::string> unreadable;  ///< one sentence each
  std::vector<std::string> damaged;  ///< read, though their decoder complained; one sentence each
  /// "domain/class" with a single picture: trained on, never tested.
  std::vector<std::string> single_picture_classes;
  /// "domain/class" for classes that some domains have and this one lacks.
  std::vector<std::string> missing_classes;
  std::vector<Likeness> identical;  ///< groups of files with the same bytes
  std::vector<Likeness> near;       ///< pairs of pictures that look alike
  std::size_t plain = 0;            ///< pictures of one colour, which look like nothing
  int near_distance = 0;            ///< most bits of 64 that a near pair differs in
  int smallest_side = 0;
  int largest_side = 0;
  std::vector<std::string> notes;  ///< datasets::split_notes()
  std::string obstacle;            ///< datasets::split_obstacle()
  std::string split;               ///< its name
  std::string fingerprint;         ///< of the data set; empty when a file cannot be opened

  /// Why a study would not be sound, a few words each: a picture that cannot be read, the same file
  /// in two domains, two classes or two parts of the split, a domain that is never tested, any
  /// note.
  [[nodiscard]] std::vector<std::string> reasons() const;

  /// Whether there is none.
  [[nodiscard]] bool passed() const { return reasons().empty(); }
};

struct CheckOptions {
  int near_distance = 6;
  std::int64_t shots = 0;  ///< training pictures of each class that the split was to have; 0: none
  unsigned threads = 0;    ///< 0 = all cores
  std::function<void(std::size_t done, std::size_t total)> progress = {};
};

/// Reads and decodes every picture once; throws nothing for what it finds. Pictures that are in no
/// part of `split` have no border to others.
[[nodiscard]] CheckReport check_dataset(const Dataset& dataset, const Split& split,
                                        const CheckOptions& options = {});

/// The findings in words; of each kind the first ten.
std::ostream& operator<<(std::ostream& out, const CheckReport& report);

/// A table of pictures by class and domain, with '-' where a domain lacks the class.
void print_counts(std::ostream& out, const Dataset& dataset);

/// All of `identical` and `near`: columns kind (identical | near), distance, pictures (ids with a
/// blank and '=' between), across (domains, classes, parts).
void write_likenesses(const std::filesystem::path& file, const CheckReport& report);

}  // namespace petlab::datasets::tools
