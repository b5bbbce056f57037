#pragma once

#include <cstdint>
#include <string>

/// Numbers as text. Halves are rounded away from zero in decimal: 99.95 to one place is "100.0".
namespace petlab::reports {

/// Of bytes, which tables show in millions.
inline constexpr double kMega = 1e6;

/// With so many places after the point. Never "-0.0".
std::string fixed(double value, int places);

/// The same with a plus or minus in front; zero has none.
std::string signed_fixed(double value, int places);

/// "1,234,567".
std::string grouped_digits(std::int64_t value);

/// Millions with three digits that count: "16.3", "0.512", "0.00205"; "0" for none.
std::string millions(std::int64_t value);

/// A percentage with as many places as its size needs: "412", "12.3", "0.45", "0.0123".
std::string percent(double value);

/// A p value: "p = 0.23", "p = 0.012", "p < 0.001"; near 0.05 with a digit more, so that it is
/// never rounded onto the limit.
std::string p_text(double p);

/// The same for a column of p values: "0.23", "< 0.001".
std::string p_digits(double p);

/// "0.4", "12.3", "254".
std::string seconds(double value);

/// Floating-point operations: "33.7 GFLOPs", "920 MFLOPs".
std::string operations(double value);

/// The shortest text that reads back as the same number; for CSV.
std::string exact(double value);

/// How many columns the UTF-8 text takes in a terminal, one for each code point.
int display_width(const std::string& text);

}  // namespace petlab::reports
