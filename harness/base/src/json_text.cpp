#include "petlab/base/json_text.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/text.hpp"
#include "petlab/base/text_encoding.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

namespace petlab::base {
namespace {

using nlohmann::json;

/// Stops at a key that stands twice in one object: json::parse keeps the last without a word. A
/// pass of its own, since nlohmann's parser with a callback walks through all values of an object
/// or list again for each object in it.
class RepeatedKey final : public nlohmann::json_sax<json> {
 public:
  [[nodiscard]] const std::optional<std::string>& found() const { return found_; }

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*size*/) override {
    open_.emplace_back();
    return true;
  }
  bool key(string_t& key) override {
    const bool is_new = open_.back().insert(key).second;
    if (!is_new) found_ = key;
    return is_new;
  }
  bool end_object() override {
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t /*size*/) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t /*byte*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

 private:
  std::vector<std::set<std::string>> open_;  ///< keys of the objects around this place
  std::optional<std::string> found_;
};

std::optional<std::string> repeated_key(std::string_view text) {
  RepeatedKey keys;
  (void)json::sax_parse(text, &keys);
  return keys.found();
}

}  // namespace

bool nests_too_deep(std::string_view json) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxJsonDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

nlohmann::json parse_json(std::string_view text, const std::string& name, const std::string& hint) {
  const auto refuse = [&](const std::string& what) {
    throw_data_error(name + what + (hint.empty() ? "" : "; " + hint));
  };
  if (is_lfs_pointer(text)) throw_data_error(name + kLfsPointer);
  const std::string_view bytes = without_byte_order_mark(text, name, ErrorKind::data);
  if (nests_too_deep(bytes))
    refuse(" is JSON that nests deeper than " + std::to_string(kMaxJsonDepth) + " levels");
  json value;
  try {
    value = json::parse(bytes);
  } catch (const json::parse_error& error) {
    // A byte of the file; of one that is cut short the last, not the one that is missing.
    const std::size_t byte = std::min(error.byte + text.size() - bytes.size(), text.size());
    refuse(" is not valid JSON at byte " + std::to_string(byte) + " of " +
           std::to_string(text.size()));
  } catch (const json::out_of_range&) {
    refuse(" holds a number that is out of range");
  }
  constexpr std::size_t kShownBytes = 100;
  if (const auto key = repeated_key(bytes))
    refuse(" has the key '" + message_line(*key, kShownBytes) + "' twice in one object");
  return value;
}

}  // namespace petlab::base
