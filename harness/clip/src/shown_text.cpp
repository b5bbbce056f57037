#include "shown_text.hpp"

#include "petlab/base/error.hpp"
#include "unicode_text.hpp"

namespace petlab::clip {

std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  const bool is_cut = text.size() > kLongest;
  std::string result = valid_utf8(text.substr(0, kLongest));
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  if (is_cut) result += "...";
  return result;
}

void refuse_file(const std::filesystem::path& file, const std::string& what) {
  base::throw_data_error("'" + file.string() + "' " + what);
}

}  // namespace petlab::clip
