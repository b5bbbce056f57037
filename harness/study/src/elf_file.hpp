#pragma once

#include <elf.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace petlab::study {

/// A shared library read as data: nothing of it is mapped or run, and no size or offset that it
/// states is believed before it is compared with the file's size.
class ElfFile {
 public:
  /// Throws Error(plugin) with the reason unless the file is a whole 64-bit shared library. The
  /// dynamic loader maps a truncated file and the process dies on the first missing page, so this
  /// must come before it.
  explicit ElfFile(const std::filesystem::path& file);

  /// The bytes of the first section of this name; nothing where there is none. Throws Error(plugin)
  /// when they are not inside the file.
  [[nodiscard]] std::optional<std::string> section(const std::string& name);

  /// True when the dynamic symbol table has the name, defined or not.
  [[nodiscard]] bool names_symbol(const std::string& name);

 private:
  [[nodiscard]] std::string read(std::uint64_t offset, std::uint64_t size, const std::string& what);
  void read_sections(const Elf64_Ehdr& header);

  std::ifstream in_;
  std::uint64_t size_ = 0;
  std::vector<Elf64_Shdr> sections_;
  std::string names_;  ///< of the sections
};

}  // namespace petlab::study
