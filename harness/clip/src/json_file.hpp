#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

namespace petlab::clip {

/// A JSON object of a file, with getters whose errors name the file and the key.
class JsonObject {
 public:
  /// Parses the file. Throws Error(data).
  static JsonObject read(const std::filesystem::path& file);

  /// The object under `key`, which must be there.
  [[nodiscard]] JsonObject object(const std::string& key) const;

  [[nodiscard]] bool contains(const std::string& key) const;

  /// Throw Error(data) when the key is missing or has another type or a value out of range.
  [[nodiscard]] std::int64_t integer(const std::string& key, std::int64_t minimum,
                                     std::int64_t maximum) const;
  [[nodiscard]] double real(const std::string& key) const;
  [[nodiscard]] std::string text(const std::string& key) const;
  [[nodiscard]] const nlohmann::json& at(const std::string& key) const;

  [[nodiscard]] const nlohmann::json& items() const { return value_; }

  /// For keys that the file may leave out or set to null.
  [[nodiscard]] bool given(const std::string& key) const;

  [[noreturn]] void fail(const std::string& key, const std::string& what) const;

 private:
  JsonObject(std::filesystem::path file, std::string prefix, nlohmann::json value);

  std::filesystem::path file_;
  std::string prefix_;
  nlohmann::json value_;
};

}  // namespace petlab::clip
