#include "petlab/base/json_text.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/text_encoding.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace petlab::base {

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
  const std::string_view json = without_byte_order_mark(text, name, ErrorKind::data);
  if (nests_too_deep(json))
    refuse(" is JSON that nests deeper than " + std::to_string(kMaxJsonDepth) + " levels");
  nlohmann::json value;
  try {
    value = nlohmann::json::parse(json);
  } catch (const nlohmann::json::parse_error& error) {
    // A byte of the file; of one that is cut short the last, not the one that is missing.
    const std::size_t byte = std::min(error.byte + text.size() - json.size(), text.size());
    refuse(" is not valid JSON at byte " + std::to_string(byte) + " of " +
           std::to_string(text.size()));
  } catch (const nlohmann::json::out_of_range&) {
    refuse(" holds a number that is out of range");
  }
  return value;
}

}  // namespace petlab::base
