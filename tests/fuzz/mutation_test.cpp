// The fuzz targets over seeded mutations of sound files and of the kept corpus, with any compiler:
// the same inputs in every run, and some that are others each day. A broken rule ends the process.
#include "petlab/base/read_file.hpp"
#include "targets.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace petlab::fuzz {
namespace {

/// Of the mutations, those that differ from day to day are so few.
constexpr int kDailyShare = 10;

/// The day, or what PETLAB_FUZZ_SEED says.
std::uint32_t daily_seed() {
  const char* said = std::getenv("PETLAB_FUZZ_SEED");
  if (said != nullptr) return static_cast<std::uint32_t>(std::strtoul(said, nullptr, 10));
  return static_cast<std::uint32_t>(std::time(nullptr) / (24 * 3600));
}

std::vector<Target> all_targets() {
  std::vector<Target> all = targets();
  for (const auto* more : {&data_targets(), &run_targets()})
    all.insert(all.end(), more->begin(), more->end());
  return all;
}

/// Files of tests/fuzz/corpus/TARGET: what once went wrong, and what reaches far into a reader.
std::vector<std::string> kept_corpus(const std::string& target) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  std::error_code none;
  for (const auto& entry :
       fs::directory_iterator(fs::path(PETLAB_SOURCE_DIR) / "tests/fuzz/corpus" / target, none))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const fs::path& file : files)
    corpus.push_back(base::read_text_file(file));
  return corpus;
}

/// Pieces that parsers have trouble with.
const std::array<std::string, 26> kPieces{"{",
                                          "}",
                                          "[",
                                          "]",
                                          "\"",
                                          ":",
                                          ",",
                                          "-1",
                                          "0",
                                          "1e999",
                                          "18446744073709551615",
                                          "9223372036854775807",
                                          "4294967296",
                                          "null",
                                          "true",
                                          "\\u0000",
                                          "\xFF",
                                          "\xED\xA0\x80",
                                          std::string(8, '\xFF'),
                                          std::string(8, '\0'),
                                          std::string(200, '['),
                                          "__metadata__",
                                          "dtype",
                                          "(",
                                          ".",
                                          "\x8a\x08"};

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}

  std::string operator()(std::string bytes, const std::vector<std::string>& others) {
    const std::size_t rounds = 1 + below(4);
    for (std::size_t i = 0; i < rounds; ++i)
      mutate(bytes, others);
    return bytes;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void mutate(std::string& bytes, const std::vector<std::string>& others) {
    const std::size_t place = below(bytes.size() + 1);
    const std::size_t length = std::min(below(16) + 1, bytes.size() - place);
    switch (below(8)) {
      case 0:
        if (place < bytes.size()) bytes[place] = static_cast<char>(bytes[place] ^ (1 << below(8)));
        break;
      case 1:
        if (place < bytes.size()) bytes[place] = static_cast<char>(random_());
        break;
      case 2:
        bytes.insert(place, kPieces[below(kPieces.size())]);
        break;
      case 3:
        bytes.erase(place, length);
        break;
      case 4:
        bytes.insert(below(bytes.size() + 1), bytes.substr(place, length));
        break;
      case 5:
        bytes.replace(place, length, kPieces[below(kPieces.size())]);
        break;
      case 6: {  // a digit into another, which keeps the syntax
        const auto digit = bytes.find_first_of("0123456789", place);
        if (digit != std::string::npos) bytes[digit] = static_cast<char>('0' + below(10));
        break;
      }
      default: {  // the head of one file, the tail of another
        const std::string& other = others[below(others.size())];
        bytes = bytes.substr(0, place) + other.substr(below(other.size() + 1));
      }
    }
  }

  std::mt19937 random_;
};

class Mutations : public ::testing::TestWithParam<Target> {};

TEST_P(Mutations, AreReadOrRefused) {
  const Target& target = GetParam();
  const std::vector<std::string> seeds = target.seeds();
  const auto run = [&](const std::string& bytes) {
    // A copy of exactly this size, so that AddressSanitizer sees a byte too many.
    const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
    return target.run(copy);
  };
  bool is_read = false;
  for (const std::string& seed : seeds)
    is_read = run(seed) || is_read;
  EXPECT_TRUE(is_read) << "none of the files to start from is sound";
  for (const std::string& kept : kept_corpus(target.name))
    run(kept);
  const std::uint32_t daily = daily_seed();
  std::cout << "Seed of the day: " << daily << " (PETLAB_FUZZ_SEED repeats it)" << std::endl;
  Mutator mutate(7), mutate_daily(daily);
  for (const std::string& seed : seeds) {
    for (int i = 0; i < target.mutations; ++i)
      run(mutate(seed, seeds));
    for (int i = 0; i < target.mutations / kDailyShare; ++i)
      run(mutate_daily(seed, seeds));
    const std::size_t step = std::max<std::size_t>(1, seed.size() / 500);
    for (std::size_t size = 0; size < seed.size(); size += step)
      run(seed.substr(0, size));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Mutations, ::testing::ValuesIn(all_targets()),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace petlab::fuzz
