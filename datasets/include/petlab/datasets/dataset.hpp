#pragma once

#include "petlab/base/sha256.hpp"
#include "petlab/datasets/class_part.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace petlab::datasets {

/// Where a published list or a folder of the data set itself puts a picture.
enum class Part : std::uint8_t { none, train, validation, test };
/// "none", "train", "validation", "test".
[[nodiscard]] std::string to_string(Part part);

/// Where a picture lies in a file that holds many.
struct Place {
  enum class Kind : std::uint8_t {
    whole_file,  ///< the file is the picture
    bytes,       ///< `size` bytes of the file from byte `at`, as in a tar shard
    row,         ///< row `at` of column `column` of a Parquet file
  };
  Kind kind = Kind::whole_file;
  std::uint64_t at = 0;
  std::uint64_t size = 0;
  std::string name = {};  ///< what the file calls it: a member's path, a row's image.path or number
  std::string column = {};
};

struct Sample {
  /// "domain/class/file" without the file's extension, the same on every machine. With it where
  /// two pictures of a class differ in nothing else. Bytes of the file's name that are no text
  /// stand as \xHH.
  std::string id;
  std::filesystem::path file;
  std::int64_t label = 0;  ///< index into Dataset::classes
  Part part = Part::none;  ///< in the split that comes with the data set
  Place place = {};        ///< in `file`
};

/// One visual domain; classifying its pictures is one task.
struct Domain {
  std::string name;
  std::vector<Sample> samples;  ///< sorted by id
  /// Labels that are the task's, ascending: those present in this domain, of class_part.
  std::vector<std::int64_t> classes;
};

struct Dataset {
  std::string name;
  std::string version;
  /// Folder names over all domains in C-locale order; of data sets that number their classes
  /// (CoOp's splits, Parquet, tar shards) in the order of those numbers.
  std::vector<std::string> classes;
  std::vector<std::string> display_names;  ///< the same for prompts: '_' is a blank
  std::vector<Domain> domains;             ///< C-locale order, or as asked for
  /// Lower-case hexadecimal SHA-256 over all ids, labels, class names and file bytes.
  std::string fingerprint;
  /// What the user should know, one sentence each: counts that differ from the published ones,
  /// folders that were left out.
  std::vector<std::string> notes = {};
  /// Pictures of each domain by its publication, in the order of `domains`; 0 where it says
  /// nothing.
  std::vector<std::size_t> published = {};
  /// SHA-256 over the names of a class-names file; "" where classes are called as their folders.
  std::string class_names_hash = {};
  /// SHA-256 of each picture's bytes as they went into `fingerprint`, in the order of domains and
  /// samples; empty without one. Who decodes a picture compares them: the file may have changed.
  std::vector<base::Digest> digests = {};
  ClassPart class_part = ClassPart::all;  ///< take_classes()
  /// What its publication makes of a class name for zero-shot CLIP, with {} for the name; "" where
  /// it says nothing. For people: methods have a template of their own.
  std::string text_template = {};
};

struct FolderOptions {
  std::string name = "folder";
  std::string version = "1";
  /// Domains to load, in this order; empty = all. Compared without case, blanks, '_' and '-', so
  /// that `real_world` finds the folder `Real World`.
  std::vector<std::string> domains = {};
  /// False leaves `fingerprint` empty: no file is opened.
  bool fingerprint = true;
  unsigned threads = 0;  ///< for the fingerprint; 0 = all cores
  /// Pictures in formats that petlab does not read are left out with a note instead of refused.
  bool leave_out_foreign = false;
};

/// Loads pictures of one's own: `root/domain/class/picture`, or `root/class/picture`, which is one
/// domain with the folder's name. One more folder level around either is looked through, and
/// folders named train, val (valid, validation) and test, above or below the domains, become the
/// samples' parts. Labels are keyed on the class name over all domains; domains may have different
/// classes. Hidden files are left out; so are, with a note, pictures outside of classes and files
/// that are no pictures. Throws base::Error(data) naming the path for: no such root, a folder of
/// another kind (saying what was found), an empty class, picture formats that petlab cannot read,
/// two classes that are one text in a prompt, two domains whose names differ in case or blanks
/// alone, names of domains and classes that are no text, links that lead in a circle.
[[nodiscard]] Dataset load_folder(const std::filesystem::path& root,
                                  const FolderOptions& options = {});

/// The fingerprint of a data set as it is on disk now. Throws base::Error(data) naming a file that
/// cannot be read.
[[nodiscard]] std::string fingerprint(const Dataset& dataset, unsigned threads = 0);

/// The SHA-256 of each file as it is on disk now, in the order of domains and samples. Throws
/// likewise.
using base::Digest;
[[nodiscard]] std::vector<Digest> hash_files(const Dataset& dataset, unsigned threads = 0);

/// The fingerprint from such hashes.
[[nodiscard]] std::string fingerprint(const Dataset& dataset, const std::vector<Digest>& digests);

/// Number of pictures over all domains.
[[nodiscard]] std::size_t sample_count(const Dataset& dataset);

/// A table of domains: pictures, classes, smallest and largest class.
void print_summary(std::ostream& out, const Dataset& dataset);

}  // namespace petlab::datasets
