// The entry of libFuzzer for one target, PETLAB_FUZZ_TARGET of PETLAB_FUZZ_TARGETS(); and, called
// with --seeds FOLDER as its only arguments, the writer of its first corpus.
#include "targets.hpp"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace {

const petlab::fuzz::Target& target() {
  for (const auto& one : petlab::fuzz::PETLAB_FUZZ_TARGETS())
    if (std::strcmp(one.name, PETLAB_FUZZ_TARGET) == 0) return one;
  std::cerr << "no fuzz target " PETLAB_FUZZ_TARGET "\n";
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc != 3 || std::strcmp((*argv)[1], "--seeds") != 0) return 0;
  const std::filesystem::path folder = (*argv)[2];
  std::filesystem::create_directories(folder);
  int number = 0;
  for (const std::string& seed : target().seeds())
    std::ofstream(folder / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
  std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const petlab::fuzz::Target& one = target();
  one.run({data, size});
  return 0;
}
