#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace petlab::clip {

/// A JSON object of a file, with getters whose errors name the file and the key.
class JsonObject {
 public:
  /// The most bytes of a settings file; vocabularies may be larger.
  static constexpr std::size_t kMaxBytes = 10'000'000;

  /// Parses the file. Throws Error(data).
  static JsonObject read(const std::filesystem::path& file, std::size_t max_bytes = kMaxBytes);

  /// The same from a text; `file` is the name that messages use.
  static JsonObject parse(std::string_view text, const std::filesystem::path& file);

  /// An object without keys, for a section that the file leaves out.
  [[nodiscard]] JsonObject empty_section(const std::string& key) const;

  /// The object under `key`, which must be there.
  [[nodiscard]] JsonObject object(const std::string& key) const;

  [[nodiscard]] bool contains(const std::string& key) const;

  /// Throw Error(data) when the key is missing or has another type or a value out of range.
  [[nodiscard]] std::int64_t integer(const std::string& key, std::int64_t minimum,
                                     std::int64_t maximum) const;
  /// The same, with a value for a missing key. null is not missing.
  [[nodiscard]] std::int64_t integer_or(const std::string& key, std::int64_t missing,
                                        std::int64_t minimum, std::int64_t maximum) const;
  [[nodiscard]] bool boolean_or(const std::string& key, bool missing) const;
  [[nodiscard]] double real(const std::string& key) const;
  [[nodiscard]] std::string text(const std::string& key) const;
  [[nodiscard]] const nlohmann::json& at(const std::string& key) const;

  [[nodiscard]] const nlohmann::json& items() const { return value_; }

  /// For keys that the file may leave out or set to null.
  [[nodiscard]] bool given(const std::string& key) const;

  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  [[noreturn]] void fail(const std::string& key, const std::string& what) const;

 private:
  JsonObject(std::filesystem::path file, std::string prefix, nlohmann::json value);

  std::filesystem::path file_;
  std::string prefix_;
  nlohmann::json value_;
};

}  // namespace petlab::clip
