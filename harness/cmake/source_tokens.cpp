// source_tokens OUT FOLDER FILE...: writes what a compiler sees of the files, one behind the other,
// each with its name in FOLDER. PetlabSourceHash.cmake builds this while it configures, and hashes
// OUT.
#include "petlab/base/source_text.hpp"

#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

int main(int count, char** words) {
  try {
    if (count < 3) throw std::runtime_error("expected OUT FOLDER FILE...");
    std::ofstream out(words[1], std::ios::binary);
    for (int i = 3; i < count; ++i) {
      std::ifstream in(words[i], std::ios::binary);
      if (!in) throw std::runtime_error(std::string("cannot read ") + words[i]);
      const std::string source{std::istreambuf_iterator<char>(in), {}};
      const std::string name =
          std::filesystem::path(words[i]).lexically_relative(words[2]).generic_string();
      const std::string tokens = petlab::base::canonical_source(source);
      out << name << "\n" << tokens.size() << "\n" << tokens;
    }
    out.close();
    if (!out) throw std::runtime_error(std::string("cannot write ") + words[1]);
  } catch (const std::exception& error) {
    std::cerr << "source_tokens: " << error.what() << "\n";
    return 1;
  }
}
