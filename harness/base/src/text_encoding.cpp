#include "petlab/base/text_encoding.hpp"

namespace petlab::base {

std::string_view without_byte_order_mark(std::string_view bytes, const std::string& where,
                                         ErrorKind kind) {
  using namespace std::string_view_literals;
  // Without a mark, the zero bytes of ASCII letters tell the wide encodings.
  constexpr std::size_t kLooked = 64;
  if (bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv) ||
      bytes.substr(0, kLooked).find('\0') != std::string_view::npos)
    throw Error(kind, where + " is UTF-16 or UTF-32 text, or no text: save it as UTF-8");
  if (bytes.starts_with("\xEF\xBB\xBF"sv)) bytes.remove_prefix(3);
  return bytes;
}

}  // namespace petlab::base
