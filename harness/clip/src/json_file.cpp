#include "json_file.hpp"

#include "atomic_file.hpp"
#include "petlab/sdk/error.hpp"

#include <cmath>

namespace petlab::clip {

using nlohmann::json;
using sdk::Error;
using sdk::ErrorKind;

namespace {

constexpr std::size_t kMaxBytes = 10'000'000;

}  // namespace

JsonObject::JsonObject(std::filesystem::path file, std::string prefix, json value)
    : file_(std::move(file)), prefix_(std::move(prefix)), value_(std::move(value)) {}

JsonObject JsonObject::read(const std::filesystem::path& file) {
  const std::string text = read_text_file(file, kMaxBytes);
  json value;
  try {
    value = json::parse(text);
  } catch (const json::parse_error& error) {
    throw Error(ErrorKind::data,
                "'" + file.string() + "' is not valid JSON at byte " + std::to_string(error.byte));
  } catch (const json::exception&) {
    // For example a number that no double can hold.
    throw Error(ErrorKind::data, "'" + file.string() + "' holds a value that is out of range");
  }
  if (!value.is_object())
    throw Error(ErrorKind::data, "'" + file.string() + "' is not a JSON object");
  return {file, "", std::move(value)};
}

bool JsonObject::contains(const std::string& key) const {
  return value_.contains(key);
}

bool JsonObject::given(const std::string& key) const {
  return value_.contains(key) && !value_[key].is_null();
}

const json& JsonObject::at(const std::string& key) const {
  if (!value_.contains(key))
    throw Error(ErrorKind::data, "'" + file_.string() + "' has no key '" + prefix_ + key + "'");
  return value_[key];
}

JsonObject JsonObject::object(const std::string& key) const {
  const json& value = at(key);
  if (!value.is_object()) fail(key, "is not an object");
  return {file_, prefix_ + key + ".", value};
}

std::int64_t JsonObject::integer(const std::string& key, std::int64_t minimum,
                                 std::int64_t maximum) const {
  const json& value = at(key);
  const std::string range =
      "expected an integer from " + std::to_string(minimum) + " to " + std::to_string(maximum);
  if (!value.is_number_integer()) fail(key, "is " + value.dump() + ", " + range);
  // Unsigned values beyond int64 would wrap.
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(maximum))
    fail(key, "is " + value.dump() + ", " + range);
  const auto result = value.get<std::int64_t>();
  if (result < minimum || result > maximum) fail(key, "is " + value.dump() + ", " + range);
  return result;
}

double JsonObject::real(const std::string& key) const {
  const json& value = at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    fail(key, "is " + value.dump() + ", expected a number");
  return value.get<double>();
}

std::string JsonObject::text(const std::string& key) const {
  const json& value = at(key);
  if (!value.is_string()) fail(key, "is " + value.dump() + ", expected a text");
  return value.get<std::string>();
}

void JsonObject::fail(const std::string& key, const std::string& what) const {
  throw Error(ErrorKind::data, "'" + file_.string() + "': key '" + prefix_ + key + "' " + what);
}

}  // namespace petlab::clip
