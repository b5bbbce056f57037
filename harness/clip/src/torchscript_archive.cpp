#include "torchscript_archive.hpp"

#include "petlab/base/error.hpp"
#include "pickle_reader.hpp"
#include "shown_text.hpp"
#include "zip_directory.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

namespace petlab::clip {

namespace {

using Kind = Pickle::Kind;
using Value = Pickle::Value;

constexpr int kMaxDepth = 32;  // of modules in modules
constexpr std::size_t kMaxTensors = 100'000;
constexpr std::size_t kMaxDimensions = 16;

struct StorageType {
  const char* name;
  at::ScalarType type;
};
constexpr std::array<StorageType, 8> kStorageTypes{{{"torch DoubleStorage", at::kDouble},
                                                    {"torch FloatStorage", at::kFloat},
                                                    {"torch HalfStorage", at::kHalf},
                                                    {"torch BFloat16Storage", at::kBFloat16},
                                                    {"torch LongStorage", at::kLong},
                                                    {"torch IntStorage", at::kInt},
                                                    {"torch ByteStorage", at::kByte},
                                                    {"torch BoolStorage", at::kBool}}};

class Archive {
 public:
  Archive(std::span<const unsigned char> bytes, const std::string& where, const ArchiveReading& how)
      : bytes_(bytes), where_(where), how_(how), entries_(parse_zip(bytes, where)) {}

  std::vector<StoredTensor> read() {
    const ZipEntry& pickle = find_pickle();
    if (!is_whole(pickle)) fail("its data.pkl does not have the checksum that it should");
    pickle_ = Pickle::parse(bytes_.subspan(pickle.offset, pickle.size), where_);
    collect(pickle_.root(), "", 0);
    std::sort(tensors_.begin(), tensors_.end(),
              [](const StoredTensor& a, const StoredTensor& b) { return a.name < b.name; });
    for (std::size_t i = 1; i < tensors_.size(); ++i)
      if (tensors_[i].name == tensors_[i - 1].name)
        fail("it holds the tensor '" + shown(tensors_[i].name) + "' twice");
    return std::move(tensors_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw base::Error(base::ErrorKind::data,
                      "the archive '" + where_ + "' is damaged or no PyTorch file: " + what);
  }

  [[nodiscard]] bool is_whole(const ZipEntry& entry) const {
    if (!how_.checksums) return true;
    constexpr std::size_t kPiece = 4 << 20;
    std::uint32_t crc = 0;
    for (std::size_t done = 0; done < entry.size; done += kPiece) {
      const std::size_t size = std::min(kPiece, entry.size - done);
      crc = checksum(bytes_.subspan(entry.offset + done, size), crc);
      if (how_.done) how_.done(entry.offset + done, size);
    }
    return crc == entry.crc;
  }

  /// <folder>/data.pkl, where the folder has the name of the file when it was saved.
  const ZipEntry& find_pickle() {
    constexpr std::string_view kName = "/data.pkl";
    const ZipEntry* found = nullptr;
    for (const auto& [name, entry] : entries_) {
      if (!name.ends_with(kName) || name.find('/') != name.size() - kName.size()) continue;
      if (found != nullptr) fail("it holds more than one data.pkl");
      found = &entry;
      folder_ = name.substr(0, name.size() - kName.size());
    }
    if (found == nullptr) fail("it holds no data.pkl");
    if (!found->is_stored) fail("its data.pkl is compressed");
    return *found;
  }

  /// Tensors of a module or dictionary by name, of those in it by "name.name".
  void collect(const Value& value, const std::string& prefix, int depth) {
    if (depth > kMaxDepth) fail("its modules nest too deep");
    const Value* dictionary = &value;
    if (value.kind == Kind::object) {
      if (value.items.empty()) return;
      dictionary = &pickle_.at(value.items[0]);
    }
    if (dictionary->kind != Kind::dictionary) {
      if (depth == 0) fail("it holds neither a module nor a dictionary of tensors");
      return;
    }
    for (std::size_t i = 0; i + 1 < dictionary->items.size(); i += 2) {
      const Value& key = pickle_.at(dictionary->items[i]);
      const Value& item = pickle_.at(dictionary->items[i + 1]);
      if (key.kind != Kind::text) continue;
      // Shared modules are visited once for each way to them: the work must have an end.
      if (++visited_ > kMaxTensors) fail("it holds more than 100000 values");
      if (item.kind == Kind::tensor)
        add(prefix + key.text, item);
      else if (item.kind == Kind::object || item.kind == Kind::dictionary)
        collect(item, prefix + key.text + ".", depth + 1);
    }
  }

  std::vector<std::int64_t> numbers(const Value& tuple, const std::string& name) const {
    std::vector<std::int64_t> result;
    if (tuple.items.size() > kMaxDimensions)
      fail("the tensor '" + shown(name) + "' has more than 16 dimensions");
    for (const Pickle::Index index : tuple.items) {
      const Value& item = pickle_.at(index);
      if (item.kind != Kind::integer || item.number < 0)
        fail("the tensor '" + shown(name) + "' has sizes or strides that are none");
      result.push_back(item.number);
    }
    return result;
  }

  void add(const std::string& name, const Value& tensor) {
    const auto refuse = [&](const std::string& what) {
      fail("the tensor '" + shown(name) + "' " + what);
    };
    const Value& storage = pickle_.at(tensor.items[0]);
    const std::string& type_name = pickle_.at(storage.items[0]).text;
    const auto* type = std::find_if(kStorageTypes.begin(), kStorageTypes.end(),
                                    [&](const StorageType& one) { return type_name == one.name; });
    if (type == kStorageTypes.end()) refuse("lies in a '" + shown(type_name) + "'");
    const std::string key = folder_ + "/data/" + pickle_.at(storage.items[1]).text;
    const auto entry = entries_.find(key);
    if (entry == entries_.end() || !entry->second.is_stored)
      refuse("lies in '" + shown(key) + "', which the archive does not hold uncompressed");

    StoredTensor stored{name,
                        type->type,
                        numbers(pickle_.at(tensor.items[2]), name),
                        numbers(pickle_.at(tensor.items[3]), name),
                        0,
                        0};
    if (stored.shape.size() != stored.strides.size()) refuse("has more sizes than strides");
    const auto size = static_cast<std::uint64_t>(c10::elementSize(type->type));
    const std::int64_t elements = pickle_.at(storage.items[2]).number;
    if (elements < 0 || static_cast<std::uint64_t>(elements) > entry->second.size / size)
      refuse("lies in '" + shown(key) + "', which is shorter than it says");

    // The highest element that sizes and strides reach must be in the storage.
    std::uint64_t count = 0;
    if (!count_elements(stored.shape, count)) refuse("has too many elements");
    const std::int64_t offset = pickle_.at(tensor.items[1]).number;
    std::int64_t span = count == 0 ? 0 : 1;
    for (std::size_t i = 0; count > 0 && i < stored.shape.size(); ++i) {
      std::int64_t reach = 0;
      if (__builtin_mul_overflow(stored.shape[i] - 1, stored.strides[i], &reach) ||
          __builtin_add_overflow(span, reach, &span))
        refuse("has too many elements");
    }
    if (offset < 0 || offset > elements || span > elements - offset)
      refuse("reaches outside of its storage");
    stored.offset = entry->second.offset + static_cast<std::size_t>(offset) * size;
    stored.bytes = static_cast<std::size_t>(span) * size;
    if (checked_.insert(key).second && !is_whole(entry->second))
      refuse("lies in '" + shown(key) + "', which does not have the checksum that it should");
    tensors_.push_back(std::move(stored));
  }

  std::span<const unsigned char> bytes_;
  const std::string& where_;
  const ArchiveReading& how_;
  std::map<std::string, ZipEntry> entries_;
  std::string folder_;
  Pickle pickle_;
  std::vector<StoredTensor> tensors_;
  std::set<std::string> checked_;
  std::size_t visited_ = 0;
};

}  // namespace

std::vector<StoredTensor> parse_torch_archive(std::span<const unsigned char> archive,
                                              const std::string& where, const ArchiveReading& how) {
  return Archive(archive, where, how).read();
}

}  // namespace petlab::clip
