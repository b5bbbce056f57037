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

/// How deep brackets nest, where it stops, and a key that stands twice in one object, of which
/// json::parse keeps the last without a word. A pass of its own: nothing deep is made a value, and
/// nlohmann's parser with a callback walks through all values of an object or list again for each
/// object in it.
class Structure final : public nlohmann::json_sax<json> {
 public:
  explicit Structure(std::string_view text) { (void)json::sax_parse(text, this); }

  [[nodiscard]] bool nests_too_deep() const { return depth_ > kMaxJsonDepth; }
  [[nodiscard]] const std::optional<std::string>& repeated_key() const { return repeated_; }

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*size*/) override {
    open_.emplace_back();
    return enter();
  }
  bool key(string_t& key) override {
    if (!open_.back().insert(key).second && !repeated_) repeated_ = key;
    return true;
  }
  bool end_object() override {
    open_.pop_back();
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*size*/) override { return enter(); }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t /*byte*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

 private:
  bool enter() { return ++depth_ <= kMaxJsonDepth; }

  int depth_ = 0;
  std::vector<std::set<std::string>> open_;  ///< keys of the objects around this place
  std::optional<std::string> repeated_;
};

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& name, const std::string& hint) {
  const auto refuse = [&](const std::string& what) {
    throw_data_error(name + what + (hint.empty() ? "" : "; " + hint));
  };
  if (is_lfs_pointer(text)) throw_data_error(name + kLfsPointer);
  const std::string_view bytes = without_byte_order_mark(text, name, ErrorKind::data);
  const Structure structure(bytes);
  if (structure.nests_too_deep())
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
  if (const auto& key = structure.repeated_key())
    refuse(" has the key '" + message_line(*key, kShownBytes) + "' twice in one object");
  return value;
}

}  // namespace petlab::base
