#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace petlab::engine {

/// What a feature file is to hold: its key, a SHA-256 in hexadecimal, and the bytes of each chunk.
struct FeatureFileShape {
  std::string key;
  std::vector<std::size_t> chunks;
};

/// Chunks of bytes in a memory-mapped file that several processes fill together: a header of 128
/// bytes with the key, a checksum of 8 bytes for each chunk, then the chunks.
///
/// Each process writes chunks that are not there yet and says so with a checksum of them; whoever
/// reads a chunk checks it first, so that one half written, cut off or damaged counts as missing
/// and is written again. Locks only divide the work: two that write the same chunk write the same
/// bytes.
class FeatureFile {
 public:
  /// Opens `file`, or makes it beside its place and puts it there when it is missing, of another
  /// key or size. Null, with the reason in `why`, when it can be neither read nor written.
  [[nodiscard]] static std::unique_ptr<FeatureFile> open(const std::filesystem::path& file,
                                                         const FeatureFileShape& shape,
                                                         std::string& why);
  ~FeatureFile();
  FeatureFile(const FeatureFile&) = delete;
  FeatureFile& operator=(const FeatureFile&) = delete;

  /// True when the chunk is there and undamaged.
  [[nodiscard]] bool is_good(std::size_t chunk) const;
  [[nodiscard]] const std::uint8_t* chunk(std::size_t chunk) const;
  /// Writes a chunk; nothing where the file can only be read.
  void write(std::size_t chunk, const void* bytes);

  /// Asks for the right to write a chunk; false when another process has it. It is given back by
  /// write(), and when this process ends.
  [[nodiscard]] bool claim(std::size_t chunk);

 private:
  FeatureFile(int descriptor, std::uint8_t* address, bool writable, const FeatureFileShape& shape);

  /// Maps an open file; null when it is not that of the shape.
  static std::unique_ptr<FeatureFile> map(int descriptor, bool writable,
                                          const FeatureFileShape& shape);

  int descriptor_;
  std::uint8_t* address_;
  bool writable_;
  std::vector<std::size_t> sizes_;
  std::vector<std::size_t> offsets_;
  std::size_t bytes_;
};

}  // namespace petlab::engine
