#include "json_file.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/json_text.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"
#include "shown_text.hpp"

#include <cmath>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

namespace {

/// A value as a message shows it, cut when long.
std::string shown_value(const nlohmann::json& value) {
  return shown(
      value.dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

JsonObject::JsonObject(std::filesystem::path file, std::string prefix, nlohmann::json value)
    : file_(std::move(file)), prefix_(std::move(prefix)), value_(std::move(value)) {}

JsonObject JsonObject::read(const std::filesystem::path& file, std::size_t max_bytes) {
  return parse(base::read_text_file(file, max_bytes), file);
}

JsonObject JsonObject::parse(std::string_view text, const std::filesystem::path& file) {
  const std::string name = "'" + base::printable(file) + "'";
  nlohmann::json value = base::parse_json(text, name);
  if (!value.is_object()) throw Error(ErrorKind::data, name + " is not a JSON object");
  return {file, "", std::move(value)};
}

JsonObject JsonObject::empty_section(const std::string& key) const {
  return {file_, prefix_ + key + ".", nlohmann::json::object()};
}

bool JsonObject::contains(const std::string& key) const {
  return value_.contains(key);
}

bool JsonObject::given(const std::string& key) const {
  return value_.contains(key) && !value_[key].is_null();
}

const nlohmann::json& JsonObject::at(const std::string& key) const {
  if (!value_.contains(key))
    throw Error(ErrorKind::data,
                "'" + file_.string() + "' has no key '" + prefix_ + shown(key) + "'");
  return value_[key];
}

JsonObject JsonObject::object(const std::string& key) const {
  const nlohmann::json& value = at(key);
  if (!value.is_object()) fail(key, "is not an object");
  return {file_, prefix_ + key + ".", value};
}

std::int64_t JsonObject::integer(const std::string& key, std::int64_t minimum,
                                 std::int64_t maximum) const {
  const nlohmann::json& value = at(key);
  const std::string range =
      "expected an integer from " + std::to_string(minimum) + " to " + std::to_string(maximum);
  if (!value.is_number_integer()) fail(key, "is " + shown_value(value) + ", " + range);
  // Unsigned values beyond int64 would wrap.
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(maximum))
    fail(key, "is " + shown_value(value) + ", " + range);
  const auto result = value.get<std::int64_t>();
  if (result < minimum || result > maximum) fail(key, "is " + shown_value(value) + ", " + range);
  return result;
}

std::int64_t JsonObject::integer_or(const std::string& key, std::int64_t missing,
                                    std::int64_t minimum, std::int64_t maximum) const {
  return contains(key) ? integer(key, minimum, maximum) : missing;
}

bool JsonObject::boolean_or(const std::string& key, bool missing) const {
  if (!contains(key)) return missing;
  const nlohmann::json& value = at(key);
  if (!value.is_boolean()) fail(key, "is " + shown_value(value) + ", expected true or false");
  return value.get<bool>();
}

double JsonObject::real(const std::string& key) const {
  const nlohmann::json& value = at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    fail(key, "is " + shown_value(value) + ", expected a number");
  return value.get<double>();
}

std::string JsonObject::text(const std::string& key) const {
  const nlohmann::json& value = at(key);
  if (!value.is_string()) fail(key, "is " + shown_value(value) + ", expected a text");
  return value.get<std::string>();
}

void JsonObject::fail(const std::string& key, const std::string& what) const {
  throw Error(ErrorKind::data,
              "'" + file_.string() + "': key '" + prefix_ + shown(key) + "' " + what);
}

}  // namespace petlab::clip
