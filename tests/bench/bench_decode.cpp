// Builds the image cache of a folder data set again and again, and prints the seconds of each time.
//
//   bench_decode ROOT SIZE THREADS
//
// One line a round, after reading a line from the standard input: decode.py asks so for a round
// when it is petlab's turn. The data set is loaded and its fingerprint taken before the first
// round.

#include "petlab/datasets/image_cache.hpp"

#include <chrono>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

int main(int argc, char** argv) {
  namespace datasets = petlab::datasets;
  try {
    if (argc != 4) throw std::runtime_error("bench_decode ROOT SIZE THREADS");
    const std::filesystem::path root = argv[1];
    const int size = std::stoi(argv[2]);
    datasets::CacheOptions options;
    options.directory = root.string() + ".cache";
    options.threads = static_cast<unsigned>(std::stoul(argv[3]));
    const datasets::Dataset dataset = datasets::load_folder(root);
    std::string line;
    while (std::getline(std::cin, line)) {
      std::filesystem::remove_all(options.directory);
      const auto start = std::chrono::steady_clock::now();
      const datasets::ImageCache cache(dataset, size, options);
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
      if (!cache.built_now()) throw std::runtime_error("the cache was not built");
      std::cout << passed.count() << std::endl;
    }
    std::filesystem::remove_all(options.directory);
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "bench_decode: " << e.what() << "\n";
    return 1;
  }
}
