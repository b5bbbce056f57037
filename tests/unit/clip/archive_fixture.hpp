#pragma once

#include <cstdint>
#include <string>
#include <vector>

// PyTorch archives, byte by byte, for tests of their readers.
namespace petlab::clip::test {

struct ZipFile {
  std::string name;
  std::string content;
  std::uint16_t method = 0;  ///< 0: stored; another: said to be compressed
};

/// Little endian.
[[nodiscard]] std::string bytes_of(std::uint64_t number, std::size_t size);

/// A ZIP archive with right checksums.
[[nodiscard]] std::string zip_of(const std::vector<ZipFile>& files);

/// The pickle (without head and end) of a tensor over storage `key`.
[[nodiscard]] std::string tensor_pickle(const std::string& key, std::int64_t elements,
                                        const std::vector<std::int64_t>& shape,
                                        const std::vector<std::int64_t>& strides,
                                        std::int64_t offset = 0,
                                        const std::string& type = "FloatStorage");

/// A dictionary with one key: head, key, value, end.
[[nodiscard]] std::string dictionary_pickle(const std::string& key, const std::string& value);

/// An archive whose dictionary has the tensor "w" [2, 3] of floats 0 to 5.
[[nodiscard]] std::string small_archive();

}  // namespace petlab::clip::test
