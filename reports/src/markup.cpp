#include "markup.hpp"

namespace petlab::reports {

std::string markup_escaped(const std::string& text) {
  constexpr unsigned char kFirstPrintable = 0x20;
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= kFirstPrintable || c == '\n' || c == '\t') result += c;
    }
  }
  return result;
}

}  // namespace petlab::reports
