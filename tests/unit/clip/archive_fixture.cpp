#include "archive_fixture.hpp"

#include "zip_directory.hpp"

#include <cstring>
#include <span>

namespace petlab::clip::test {

namespace {

std::string text_pickle(const std::string& text) {
  return "X" + bytes_of(text.size(), 4) + text;
}

/// LONG1 with 8 bytes: any number.
std::string number_pickle(std::int64_t number) {
  return "\x8a\x08" + bytes_of(static_cast<std::uint64_t>(number), 8);
}

std::string tuple_pickle(const std::vector<std::int64_t>& numbers) {
  std::string text = "(";
  for (const std::int64_t number : numbers)
    text += number_pickle(number);
  return text + "t";
}

}  // namespace

std::string bytes_of(std::uint64_t number, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i)
    bytes += i < sizeof number ? static_cast<char>(number >> (8 * i) & 0xFF) : '\0';
  return bytes;
}

std::string zip_of(const std::vector<ZipFile>& files) {
  std::string archive;
  std::string directory;
  for (const ZipFile& file : files) {
    const auto* data = reinterpret_cast<const unsigned char*>(file.content.data());
    const std::string common = bytes_of(0, 2) + bytes_of(file.method, 2) + bytes_of(0, 4) +
                               bytes_of(checksum({data, file.content.size()}, 0), 4) +
                               bytes_of(file.content.size(), 4) + bytes_of(file.content.size(), 4) +
                               bytes_of(file.name.size(), 2) + bytes_of(0, 2);
    directory += "PK\x01\x02" + bytes_of(20, 2) + bytes_of(20, 2) + common + bytes_of(0, 10) +
                 bytes_of(archive.size(), 4) + file.name;
    archive += "PK\x03\x04" + bytes_of(20, 2) + common + file.name + file.content;
  }
  const std::size_t start = archive.size();
  return archive + directory + "PK\x05\x06" + bytes_of(0, 4) + bytes_of(files.size(), 2) +
         bytes_of(files.size(), 2) + bytes_of(directory.size(), 4) + bytes_of(start, 4) +
         bytes_of(0, 2);
}

std::string tensor_pickle(const std::string& key, std::int64_t elements,
                          const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& strides, std::int64_t offset,
                          const std::string& type) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text_pickle("storage") + "ctorch\n" + type +
         "\n" + text_pickle(key) + text_pickle("cpu") + number_pickle(elements) + "tQ" +
         number_pickle(offset) + tuple_pickle(shape) + tuple_pickle(strides) +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}

std::string dictionary_pickle(const std::string& key, const std::string& value) {
  return "\x80\x02}" + text_pickle(key) + value + "s.";
}

std::string small_archive() {
  std::string numbers;
  for (int i = 0; i < 6; ++i) {
    const auto value = static_cast<float>(i);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    numbers += bytes_of(bits, 4);
  }
  return zip_of({{"a/data.pkl", dictionary_pickle("w", tensor_pickle("0", 6, {2, 3}, {3, 1}))},
                 {"a/data/0", numbers},
                 {"a/code/x.py", "not read", 8}});
}

}  // namespace petlab::clip::test
