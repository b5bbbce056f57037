#include "safetensors_header.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/json_text.hpp"
#include "safetensors_types.hpp"
#include "shown_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <tuple>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // the limit of the format's reference reader

/// One entry of the header, checked by itself.
struct Entry {
  std::string name;
  at::ScalarType type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // in the data behind the header
  std::uint64_t end = 0;
};

/// Who complains, and about which file.
struct File {
  const std::string& where;

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::data, "safetensors file '" + where + "' " + what);
  }
  [[noreturn]] void fail(const std::string& tensor, const std::string& what) const {
    fail("has a bad entry '" + shown(tensor) + "': " + what);
  }
};

std::string_view header_text(const File& file, std::span<const unsigned char> bytes) {
  if (bytes.size() < kLengthBytes)
    file.fail("has " + std::to_string(bytes.size()) + " bytes, expected at least 8");
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;)
    length = length << 8 | bytes[i];
  if (length > kMaxHeader)
    file.fail("says that its header has " + std::to_string(length) + " bytes, expected at most " +
              std::to_string(kMaxHeader));
  if (length > bytes.size() - kLengthBytes)
    file.fail("says that its header has " + std::to_string(length) + " bytes, but only " +
              std::to_string(bytes.size() - kLengthBytes) + " follow");
  return {reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length};
}

nlohmann::json parse_header(const File& file, std::string_view text) {
  nlohmann::json header =
      base::parse_json(text, "safetensors file '" + file.where + "': its header");
  if (!header.is_object()) file.fail("has a header that is not a JSON object");
  return header;
}

Entry parse_entry(const File& file, const std::string& name, const nlohmann::json& value) {
  Entry entry{name, at::kFloat, {}, 0, 0};
  if (!value.is_object()) file.fail(name, "it is not a JSON object");
  for (const auto& [key, unused] : value.items())
    if (key != "dtype" && key != "shape" && key != "data_offsets")
      file.fail(name, "unknown field '" + shown(key) + "'");
  for (const char* key : {"dtype", "shape", "data_offsets"})
    if (!value.contains(key)) file.fail(name, std::string("no field '") + key + "'");

  const nlohmann::json& type = value["dtype"];
  if (!type.is_string()) file.fail(name, "its dtype is not a text");
  const auto* known = std::find_if(
      kSafetensorsTypes.begin(), kSafetensorsTypes.end(),
      [&](const SafetensorsType& t) { return t.name == type.get_ref<const std::string&>(); });
  if (known == kSafetensorsTypes.end())
    file.fail(name, "its dtype is '" + shown(type.get_ref<const std::string&>()) +
                        "', expected one of F64 F32 F16 BF16 I64 I32 U8 BOOL");
  entry.type = known->type;

  const nlohmann::json& shape = value["shape"];
  if (!shape.is_array()) file.fail(name, "its shape is not a list");
  if (shape.size() > 16) file.fail(name, "its shape has more than 16 dimensions");
  for (const nlohmann::json& side : shape) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (!side.is_number_unsigned() || side.get<std::uint64_t>() > kMax)
      file.fail(name, "its shape holds something else than sizes");
    entry.shape.push_back(side.get<std::int64_t>());
  }

  const nlohmann::json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    file.fail(name, "its data_offsets are not two offsets");
  entry.begin = offsets[0].get<std::uint64_t>();
  entry.end = offsets[1].get<std::uint64_t>();
  return entry;
}

void check_layout(const File& file, std::vector<Entry>& entries, std::uint64_t data_size) {
  for (const Entry& entry : entries) {
    if (entry.begin > entry.end || entry.end > data_size)
      file.fail(entry.name, "its data_offsets are [" + std::to_string(entry.begin) + ", " +
                                std::to_string(entry.end) + "], but the file holds " +
                                std::to_string(data_size) + " bytes of data");
    std::uint64_t count = 0;
    if (!count_elements(entry.shape, count))
      file.fail(entry.name, "its shape has too many elements");
    const std::uint64_t need = count * c10::elementSize(entry.type);
    if (entry.end - entry.begin != need)
      file.fail(entry.name, "its data_offsets span " + std::to_string(entry.end - entry.begin) +
                                " bytes, but its shape and dtype need " + std::to_string(need));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  // The format wants every byte to belong to exactly one tensor.
  std::uint64_t next = 0;
  for (const Entry& entry : entries) {
    if (entry.begin < next) file.fail(entry.name, "its data overlap those of another tensor");
    if (entry.begin > next)
      file.fail(entry.name,
                "there are unused bytes before its data, at offset " + std::to_string(next));
    next = entry.end;
  }
  if (next != data_size)
    file.fail("has " + std::to_string(data_size - next) + " bytes behind its last tensor");
}

void check_metadata(const File& file, const nlohmann::json& metadata) {
  if (!metadata.is_object()) file.fail("has __metadata__ that is not a JSON object");
  for (const auto& [key, value] : metadata.items())
    if (!value.is_string()) file.fail("has __metadata__ '" + shown(key) + "' that is not a text");
}

}  // namespace

std::vector<StoredTensor> parse_safetensors(std::span<const unsigned char> bytes,
                                            const std::string& where) {
  const File file{where};
  const std::string_view text = header_text(file, bytes);
  const nlohmann::json header = parse_header(file, text);
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__")
      check_metadata(file, value);
    else
      entries.push_back(parse_entry(file, name, value));
  }
  const std::uint64_t data_start = kLengthBytes + text.size();
  check_layout(file, entries, bytes.size() - data_start);

  std::vector<StoredTensor> tensors;
  tensors.reserve(entries.size());
  for (Entry& entry : entries) {
    std::vector<std::int64_t> strides = row_strides(entry.shape);
    tensors.push_back({std::move(entry.name), entry.type, std::move(entry.shape),
                       std::move(strides), data_start + entry.begin, entry.end - entry.begin});
  }
  return tensors;
}

std::map<std::string, std::string> parse_safetensors_metadata(std::span<const unsigned char> bytes,
                                                              const std::string& where) {
  const File file{where};
  const nlohmann::json header = parse_header(file, header_text(file, bytes));
  const auto metadata = header.find("__metadata__");
  if (metadata == header.end()) return {};
  check_metadata(file, *metadata);
  return metadata->get<std::map<std::string, std::string>>();
}

}  // namespace petlab::clip
