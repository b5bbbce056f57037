#include "elf_file.hpp"

#include "petlab/base/error.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <system_error>

namespace petlab::study {
namespace {

static_assert(std::endian::native == std::endian::little);

[[noreturn]] void refuse_plugin(const std::string& reason) {
  throw base::Error(base::ErrorKind::plugin, reason);
}

/// offset + size, or the largest number where that is beyond it.
std::uint64_t end_of(std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  return size > most - offset ? most : offset + size;
}

template <typename Record>
std::vector<Record> records_of(const std::string& bytes) {
  std::vector<Record> records(bytes.size() / sizeof(Record));
  std::memcpy(records.data(), bytes.data(), records.size() * sizeof(Record));
  return records;
}

}  // namespace

ElfFile::ElfFile(const std::filesystem::path& file) {
  std::error_code error;
  size_ = std::filesystem::file_size(file, error);
  if (error) refuse_plugin("cannot be read: " + error.message());
  in_.open(file, std::ios::binary);
  Elf64_Ehdr header{};
  if (!in_.read(reinterpret_cast<char*>(&header), sizeof header) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_type != ET_DYN)
    refuse_plugin("not a shared library of this machine (no 64-bit ELF header)");
  std::uint64_t needed = end_of(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr));
  if (header.e_phentsize == sizeof(Elf64_Phdr) && needed <= size_) {
    const std::string bytes = read(
        header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr), "its segment table");
    for (const Elf64_Phdr& segment : records_of<Elf64_Phdr>(bytes))
      if (segment.p_type == PT_LOAD)
        needed = std::max(needed, end_of(segment.p_offset, segment.p_filesz));
  }
  needed =
      std::max(needed, end_of(header.e_shoff, std::uint64_t{header.e_shnum} * header.e_shentsize));
  if (needed > size_)
    refuse_plugin("the file is cut short: " + std::to_string(size_) + " bytes of at least " +
                  std::to_string(needed));
  read_sections(header);
}

/// A file without a table of sections is a whole library too.
void ElfFile::read_sections(const Elf64_Ehdr& header) {
  if (header.e_shnum == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) return;
  sections_ = records_of<Elf64_Shdr>(read(
      header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr), "its section table"));
  if (header.e_shstrndx >= sections_.size()) refuse_plugin("the names of its sections are missing");
  const Elf64_Shdr& names = sections_[header.e_shstrndx];
  names_ = read(names.sh_offset, names.sh_size, "the names of its sections");
}

std::string ElfFile::read(std::uint64_t offset, std::uint64_t size, const std::string& what) {
  if (end_of(offset, size) > size_)
    refuse_plugin("the file is damaged: " + what + " should be bytes " + std::to_string(offset) +
                  " to " + std::to_string(end_of(offset, size)) + " of " + std::to_string(size_));
  std::string bytes(size, '\0');
  in_.clear();
  in_.seekg(static_cast<std::streamoff>(offset));
  if (!in_.read(bytes.data(), static_cast<std::streamsize>(size)))
    refuse_plugin("cannot be read: " + what);
  return bytes;
}

std::optional<std::string> ElfFile::section(const std::string& name) {
  for (const Elf64_Shdr& one : sections_) {
    // With the zero behind it, which a name at the table's end may lack.
    if (one.sh_name >= names_.size() ||
        names_.compare(one.sh_name, name.size() + 1, name.c_str(), name.size() + 1) != 0)
      continue;
    if (one.sh_type == SHT_NOBITS) return "";
    return read(one.sh_offset, one.sh_size, "section " + name);
  }
  return std::nullopt;
}

bool ElfFile::names_symbol(const std::string& name) {
  const std::optional<std::string> names = section(".dynstr");
  return names && ('\0' + *names).find('\0' + name + '\0') != std::string::npos;
}

}  // namespace petlab::study
