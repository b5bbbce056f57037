#include "numbers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace petlab::reports {

std::string fixed(double value, int places) {
  // A decimal half is rarely a binary one: 99.95 is stored a little above or below. The nudge of a
  // few units in the last place brings it back to the side that the decimal digits say.
  constexpr double kNudge = 1e-12;
  const double scale = std::pow(10.0, places);
  const double rounded = std::round(value * scale * (1.0 + kNudge)) / scale;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", places, rounded == 0.0 ? 0.0 : rounded);
  return text.data();
}

std::string signed_fixed(double value, int places) {
  const std::string text = fixed(value, places);
  const bool zero = text.find_first_not_of("-0.") == std::string::npos;
  return value > 0.0 && !zero ? std::string("+").append(text) : text;
}

std::string grouped_digits(std::int64_t value) {
  std::string text = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string millions(std::int64_t value) {
  if (value == 0) return "0";
  constexpr double kMillion = 1e6;
  constexpr int kDigits = 3;
  const double number = static_cast<double>(value) / kMillion;
  const int before_point = static_cast<int>(std::floor(std::log10(std::abs(number)))) + 1;
  return fixed(number, std::max(0, kDigits - before_point));
}

std::string percent(double value) {
  if (value == 0.0) return "0";
  if (value >= 100.0) return fixed(value, 0);
  if (value >= 10.0) return fixed(value, 1);
  return fixed(value, value >= 0.1 ? 2 : 4);
}

std::string p_text(double p) {
  if (p < 0.001) return "p < 0.001";
  const int places = p >= 0.0995 ? 2 : p >= 0.0485 && p < 0.0515 ? 4 : 3;
  return "p = " + fixed(p, places);
}

std::string p_digits(double p) {
  const std::string text = p_text(p);
  return text.substr(text.starts_with("p = ") ? 4 : 2);
}

std::string seconds(double value) {
  return fixed(value, value < 100.0 ? 1 : 0);
}

std::string operations(double value) {
  const std::array<const char*, 5> units = {"FLOPs", "kFLOPs", "MFLOPs", "GFLOPs", "TFLOPs"};
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < units.size(); ++unit)
    value /= 1000.0;
  const int places = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return fixed(value, places) + " " + units[unit];
}

std::string exact(double value) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

int display_width(const std::string& text) {
  int width = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) != 0x80U) ++width;  // bytes 10xxxxxx go on with a code point
  }
  return width;
}

}  // namespace petlab::reports
