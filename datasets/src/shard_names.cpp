#include "shard_names.hpp"

#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDigits = "0123456789";

/// Behind the ending of a shard.
constexpr std::array<std::string_view, 8> kCompressions{".gz",  ".bz2",  ".xz", ".zst",
                                                        ".lz4", ".lzma", ".z",  ".br"};
constexpr std::array<std::string_view, 7> kDownloads{
    ".part", ".partial", ".tmp", ".crdownload", ".download", ".incomplete", ".aria2"};
/// In the place of .tar.
constexpr std::array<std::string_view, 6> kCompressedTars{".tgz", ".tbz",  ".tbz2",
                                                          ".txz", ".tzst", ".tlz"};

template <class Endings>
bool is_one_of(const std::string& ending, const Endings& endings) {
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

/// A number in a file's name, with its width.
struct Number {
  std::uint64_t value = 0;
  std::size_t width = 0;
};

std::optional<Number> number_of(std::string_view digits) {
  const auto value = base::parse_number<std::uint64_t>(digits);
  if (!value || digits.find_first_not_of(kDigits) != std::string_view::npos) return std::nullopt;
  return Number{*value, digits.size()};
}

std::string text_of(std::uint64_t value, std::size_t width) {
  std::string digits = std::to_string(value);
  if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
  return digits;
}

/// "train-", 0 and 2 of train-00000-of-00002-0123abcd.
struct NumberOf {
  std::string prefix;
  Number number;
  Number total;
  std::string rest;
};

std::optional<NumberOf> number_of_total(const std::string& stem) {
  constexpr std::string_view kOf = "-of-";
  const std::size_t of = stem.rfind(kOf);
  if (of == std::string::npos || of == 0) return std::nullopt;
  const std::size_t last = stem.find_last_not_of(kDigits, of - 1);
  const std::size_t begin = last == std::string::npos ? 0 : last + 1;
  const std::size_t total = of + kOf.size();
  const std::size_t end = std::min(stem.find_first_not_of(kDigits, total), stem.size());
  const auto number = number_of(std::string_view(stem).substr(begin, of - begin));
  const auto whole = number_of(std::string_view(stem).substr(total, end - total));
  if (!number || !whole) return std::nullopt;
  return NumberOf{stem.substr(0, begin), *number, *whole, stem.substr(end)};
}

/// Shards of one folder and prefix by their numbers.
using Numbered = std::map<std::uint64_t, fs::path>;

[[noreturn]] void fail_missing(const fs::path& present, const std::string& missing) {
  base::throw_data_error("folder " + base::printable(present.parent_path()) + " holds " +
                         base::printable(present.filename()) + " but not " +
                         base::escaped(missing) +
                         ": fetch the file that is missing; a file that is given as the root is "
                         "read alone");
}

/// The files that say how many they are.
class Totals {
 public:
  void add(const fs::path& file, const NumberOf& name) {
    const auto [group, is_first] =
        groups_.try_emplace({file.parent_path(), name.prefix}, Group{name, file, {}});
    const Group& first = group->second;
    if (name.total.value != first.name.total.value)
      base::throw_data_error(
          base::printable(file) + " is one of " + std::to_string(name.total.value) + " files, " +
          base::printable(first.file.filename()) + " beside it one of " +
          std::to_string(first.name.total.value) + ": expected the files of one data set");
    if (name.number.value > name.total.value)
      base::throw_data_error(base::printable(file) + " has a number that is not one of its " +
                             std::to_string(name.total.value) + " files");
    const auto [twin, is_new] = group->second.files.emplace(name.number.value, file);
    if (!is_new)
      base::throw_data_error(base::printable(file) + " has the number of " +
                             base::printable(twin->second.filename()) +
                             " beside it: expected each file once");
  }

  void require_all() const {
    for (const auto& [key, group] : groups_) {
      const std::uint64_t total = group.name.total.value;
      // Some count from 1.
      const std::uint64_t first = group.files.contains(total) && !group.files.contains(0) ? 1 : 0;
      for (std::uint64_t number = first; number < first + total; ++number)
        if (!group.files.contains(number)) fail_missing(group.file, name_of(group, number));
      if (group.files.size() > total)
        base::throw_data_error(base::printable(group.files.rbegin()->second) +
                               " is one file more "
                               "than the " +
                               std::to_string(total) + " that its name says");
    }
  }

 private:
  struct Group {
    NumberOf name;
    fs::path file;
    Numbered files;
  };

  /// A hash behind the total is another one for each file.
  static std::string name_of(const Group& group, std::uint64_t number) {
    const NumberOf& name = group.name;
    return name.prefix + text_of(number, name.number.width) + "-of-" +
           text_of(name.total.value, name.total.width) + (name.rest.empty() ? "" : "*") +
           group.file.extension().string();
  }

  std::map<std::pair<fs::path, std::string>, Group> groups_;
};

/// The files whose names end with a number.
class Sequences {
 public:
  void add(const fs::path& file) {
    const std::string stem = file.stem().string();
    const std::size_t last = stem.find_last_not_of(kDigits);
    const std::size_t begin = last == std::string::npos ? 0 : last + 1;
    if (const auto number = number_of(std::string_view(stem).substr(begin)))
      groups_[{file.parent_path(), stem.substr(0, begin), number->width}].emplace(number->value,
                                                                                  file);
  }

  void require_all() const {
    for (const auto& [key, files] : groups_) {
      std::uint64_t expected = files.begin()->first;
      if (expected > 1) continue;
      for (const auto& [number, file] : files) {
        if (number != expected)
          fail_missing(file, std::get<1>(key) + text_of(expected, std::get<2>(key)) +
                                 file.extension().string());
        ++expected;
      }
    }
  }

 private:
  std::map<std::tuple<fs::path, std::string, std::size_t>, Numbered> groups_;
};

}  // namespace

void refuse_unread_shard(const fs::path& file, const std::string& ending) {
  const std::string last = lower_case(file.extension().string());
  const bool is_behind = lower_case(file.stem().extension().string()) == ending;
  if ((is_behind && is_one_of(last, kCompressions)) ||
      (ending == ".tar" && is_one_of(last, kCompressedTars)))
    base::throw_data_error(base::printable(file) +
                           " is compressed, so that its images cannot be read one by one: unpack "
                           "it to a plain " +
                           ending + ", or move it out of the folder");
  if (is_behind && is_one_of(last, kDownloads))
    base::throw_data_error(base::printable(file) +
                           " is a download that was not finished: finish it, or remove the file");
}

void require_all_shards(const std::vector<fs::path>& files) {
  Totals totals;
  Sequences sequences;
  for (const fs::path& file : files) {
    if (const auto name = number_of_total(file.stem().string()))
      totals.add(file, *name);
    else
      sequences.add(file);
  }
  totals.require_all();
  sequences.require_all();
}

}  // namespace petlab::datasets
