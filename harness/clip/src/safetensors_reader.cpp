#include "petlab/clip/safetensors.hpp"
#include "petlab/sdk/error.hpp"
#include "safetensors_types.hpp"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <set>

namespace petlab::clip {

using nlohmann::json;
using sdk::Error;
using sdk::ErrorKind;

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

class File {
 public:
  explicit File(const std::filesystem::path& path) : path_(path) {
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail(std::string("cannot be read: ") + std::strerror(errno));
    struct stat info{};
    if (::fstat(descriptor_, &info) != 0 || !S_ISREG(info.st_mode)) {
      ::close(descriptor_);
      fail("is not a regular file");
    }
    size_ = static_cast<std::uint64_t>(info.st_size);
  }
  ~File() { ::close(descriptor_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }

  void read(void* target, std::uint64_t size, std::uint64_t offset) const {
    char* next = static_cast<char*>(target);
    while (size > 0) {
      const ssize_t got = ::pread(descriptor_, next, std::min<std::uint64_t>(size, 1U << 30),
                                  static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail(std::string("cannot be read: ") + std::strerror(errno));
      if (got == 0) fail("became shorter while it was read");
      next += got;
      offset += static_cast<std::uint64_t>(got);
      size -= static_cast<std::uint64_t>(got);
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::data, "safetensors file '" + path_.string() + "' " + what);
  }
  [[noreturn]] void fail(const std::string& tensor, const std::string& what) const {
    fail("has a bad entry '" + tensor + "': " + what);
  }

 private:
  const std::filesystem::path& path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

std::string read_header(const File& file) {
  if (file.size() < kLengthBytes)
    file.fail("has " + std::to_string(file.size()) + " bytes, expected at least 8");
  std::array<unsigned char, kLengthBytes> bytes{};
  file.read(bytes.data(), bytes.size(), 0);
  std::uint64_t length = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    length = length << 8 | bytes[i];
  if (length > kMaxHeader)
    file.fail("says that its header has " + std::to_string(length) + " bytes, expected at most " +
              std::to_string(kMaxHeader));
  if (length > file.size() - kLengthBytes)
    file.fail("says that its header has " + std::to_string(length) + " bytes, but only " +
              std::to_string(file.size() - kLengthBytes) + " follow");
  std::string text(length, '\0');
  file.read(text.data(), length, kLengthBytes);
  return text;
}

json parse_header(const File& file, const std::string& text) {
  // The parser keeps the last of equal keys; here they are an error.
  std::set<std::string> names;
  std::set<std::string> fields;
  std::optional<std::string> duplicate;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start && depth == 1) fields.clear();
    if (event != json::parse_event_t::key || depth > 2) return true;
    const auto& key = parsed.get_ref<const std::string&>();
    if (!(depth == 1 ? names : fields).insert(key).second) duplicate = key;
    return true;
  };
  json header;
  try {
    header = json::parse(text, watch);
  } catch (const json::exception&) {
    file.fail("has a header that is not valid JSON");
  }
  if (!header.is_object()) file.fail("has a header that is not a JSON object");
  if (duplicate) file.fail("has '" + *duplicate + "' twice in its header");
  return header;
}

std::uint64_t element_count(const File& file, const Entry& entry) {
  std::uint64_t count = 1;
  constexpr auto kLimit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 8;
  for (const std::int64_t side : entry.shape)
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(side), &count) || count > kLimit)
      file.fail(entry.name, "its shape has too many elements");
  return count;
}

Entry parse_entry(const File& file, const std::string& name, const json& value) {
  Entry entry{name, at::kFloat, {}, 0, 0};
  if (!value.is_object()) file.fail(name, "it is not a JSON object");
  for (const auto& [key, unused] : value.items())
    if (key != "dtype" && key != "shape" && key != "data_offsets")
      file.fail(name, "unknown field '" + key + "'");
  for (const char* key : {"dtype", "shape", "data_offsets"})
    if (!value.contains(key)) file.fail(name, std::string("no field '") + key + "'");

  const json& type = value["dtype"];
  if (!type.is_string()) file.fail(name, "its dtype is not a text");
  const auto* known = std::find_if(
      kSafetensorsTypes.begin(), kSafetensorsTypes.end(),
      [&](const SafetensorsType& t) { return t.name == type.get_ref<const std::string&>(); });
  if (known == kSafetensorsTypes.end())
    file.fail(name, "its dtype is '" + type.get<std::string>() +
                        "', expected one of F64 F32 F16 BF16 I64 I32 U8 BOOL");
  entry.type = known->type;

  const json& shape = value["shape"];
  if (!shape.is_array()) file.fail(name, "its shape is not a list");
  if (shape.size() > 16) file.fail(name, "its shape has more than 16 dimensions");
  for (const json& side : shape) {
    constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
    if (!side.is_number_unsigned() || side.get<std::uint64_t>() > kMax)
      file.fail(name, "its shape holds something else than sizes");
    entry.shape.push_back(side.get<std::int64_t>());
  }

  const json& offsets = value["data_offsets"];
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
    const std::uint64_t need = element_count(file, entry) * at::elementSize(entry.type);
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

void check_metadata(const File& file, const json& metadata) {
  if (!metadata.is_object()) file.fail("has __metadata__ that is not a JSON object");
  for (const auto& [key, value] : metadata.items())
    if (!value.is_string()) file.fail("has __metadata__ '" + key + "' that is not a text");
}

at::Tensor read_tensor(const File& file, const Entry& entry, std::uint64_t data_start) {
  at::Tensor tensor = at::empty(entry.shape, at::TensorOptions().dtype(entry.type));
  file.read(tensor.mutable_data_ptr(), entry.end - entry.begin, data_start + entry.begin);
  if (entry.type == at::kBool) {
    // Any other byte in a bool is undefined behaviour later on.
    const auto* bytes = static_cast<const unsigned char*>(tensor.const_data_ptr());
    if (std::any_of(bytes, bytes + tensor.nbytes(), [](unsigned char b) { return b > 1; }))
      file.fail(entry.name, "it holds bytes other than 0 and 1 as BOOL");
  }
  return tensor;
}

}  // namespace

std::vector<sdk::NamedTensor> read_safetensors(const std::filesystem::path& path) {
  const File file(path);
  const std::string text = read_header(file);
  const json header = parse_header(file, text);
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__")
      check_metadata(file, value);
    else
      entries.push_back(parse_entry(file, name, value));
  }
  const std::uint64_t data_start = kLengthBytes + text.size();
  check_layout(file, entries, file.size() - data_start);

  std::vector<sdk::NamedTensor> tensors;
  tensors.reserve(entries.size());
  for (const Entry& entry : entries)
    tensors.push_back({entry.name, read_tensor(file, entry, data_start)});
  return tensors;
}

}  // namespace petlab::clip
