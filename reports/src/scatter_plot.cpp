#include "scatter_plot.hpp"

#include "label_placement.hpp"
#include "numbers.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace petlab::reports {
namespace {

constexpr double kWidth = 900.0;
constexpr double kHeight = 580.0;
constexpr Box kPlot{64.0, 44.0, 816.0, 464.0};
constexpr double kZeroSlot = 70.0;  // room for "0", left of the logarithmic axis
constexpr double kFontSize = 12.0;
constexpr double kLetterWidth = 6.5;
constexpr std::size_t kColours = 8;

constexpr const char* kStyle = R"css(<style>
.pl text{font:12px system-ui,"DejaVu Sans",sans-serif;fill:#1f2328}
.pl .soft{fill:#57606a}.pl .grid{stroke:#d8dee4;stroke-width:1}.pl .axis{stroke:#57606a}
.pl .zero{stroke:#57606a;stroke-dasharray:5 4}.pl .lead{stroke-width:.7;stroke-opacity:.7}
.pl .bar{stroke-width:1.5;stroke-opacity:.6}
.pl .mark{stroke:#fff;stroke-width:1.2}.pl .key{fill:none;stroke:#57606a;stroke-width:1.5}
.pl .c0{fill:#3577c9;stroke:#3577c9}.pl .c1{fill:#c2651a;stroke:#c2651a}
.pl .c2{fill:#278a5b;stroke:#278a5b}.pl .c3{fill:#bd4c97;stroke:#bd4c97}
.pl .c4{fill:#c7443a;stroke:#c7443a}.pl .c5{fill:#1f8b9c;stroke:#1f8b9c}
.pl .c6{fill:#7a60c7;stroke:#7a60c7}.pl .c7{fill:#857d1c;stroke:#857d1c}
.pl .c0.mark,.pl .c1.mark,.pl .c2.mark,.pl .c3.mark,.pl .c4.mark,.pl .c5.mark,.pl .c6.mark,
.pl .c7.mark{stroke:#fff}.pl text.label,.pl .seed{stroke:none}.pl .seed{fill-opacity:.55}
@media (prefers-color-scheme:dark){.pl text.plain{fill:#e6edf3}.pl text.soft{fill:#9da7b1}
.pl .grid{stroke:#30363d}.pl .axis,.pl .zero,.pl .key{stroke:#9da7b1}
.pl text.label{filter:brightness(1.35)}
.pl .c0.mark,.pl .c1.mark,.pl .c2.mark,.pl .c3.mark,.pl .c4.mark,.pl .c5.mark,.pl .c6.mark,
.pl .c7.mark{stroke:#0d1117}}
</style>
)css";

std::string number(double value) {
  return fixed(value, 1);
}

std::string attribute(const char* name, double value) {
  return std::string(" ").append(name).append("=\"").append(number(value)).append("\"");
}

std::string line(double x1, double y1, double x2, double y2, const std::string& style) {
  return "<line class=\"" + style + "\"" + attribute("x1", x1) + attribute("y1", y1) +
         attribute("x2", x2) + attribute("y2", y2) + "/>\n";
}

std::string text_at(double x, double y, const char* anchor, const std::string& style,
                    const std::string& text) {
  return "<text class=\"" + style + "\" text-anchor=\"" + anchor + "\"" + attribute("x", x) +
         attribute("y", y) + ">" + markup_escaped(text) + "</text>\n";
}

double mean_trainable(const Row& row) {
  double sum = 0.0;
  for (const SeedResult& seed : row.seeds)
    sum += static_cast<double>(seed.trainable);
  return sum / static_cast<double>(row.seeds.size());
}

// "500", "20k", "3M".
std::string count_text(double value) {
  constexpr double kThousand = 1e3;
  constexpr std::array<const char*, 4> kUnits = {"", "k", "M", "G"};
  std::size_t unit = 0;
  while (value >= kThousand && unit + 1 < kUnits.size()) {
    value /= kThousand;
    ++unit;
  }
  return fixed(value, 0) + kUnits[unit];
}

// Trainable parameters to pixels.
class HorizontalAxis {
 public:
  explicit HorizontalAxis(const std::vector<const Row*>& rows) {
    for (const Row* row : rows) {
      const double value = mean_trainable(*row);
      if (value <= 0.0) {
        has_zero_ = true;
        continue;
      }
      low_ = has_log_ ? std::min(low_, std::log10(value)) : std::log10(value);
      high_ = has_log_ ? std::max(high_, std::log10(value)) : std::log10(value);
      has_log_ = true;
    }
    const double margin = std::max(0.12, 0.06 * (high_ - low_));
    low_ -= margin;
    high_ += margin;
  }

  double at(double value) const {
    if (value <= 0.0) return kPlot.left + kZeroSlot / 2;
    const double left = log_left();
    return left + (std::log10(value) - low_) / (high_ - low_) * (right() - left);
  }

  std::string svg() const {
    std::string text;
    const double bottom = kPlot.top + kPlot.height;
    if (has_zero_) {
      text += line(at(0), kPlot.top, at(0), bottom, "grid");
      text += text_at(at(0), bottom + 18, "middle", "soft", "0");
      const double gap = kPlot.left + kZeroSlot - 6;  // two strokes: the axis is broken here
      text += line(gap - 3, bottom + 5, gap + 1, bottom - 5, "axis");
      text += line(gap + 2, bottom + 5, gap + 6, bottom - 5, "axis");
    }
    for (const double tick : ticks()) {
      text += line(at(tick), kPlot.top, at(tick), bottom, "grid");
      text += text_at(at(tick), bottom + 18, "middle", "soft", count_text(tick));
    }
    text += line(kPlot.left, bottom, right(), bottom, "axis");
    text += text_at(kPlot.left + kPlot.width / 2, bottom + 40, "middle", "plain",
                    "trainable parameters over all adapters (logarithmic)");
    return text;
  }

 private:
  static double right() { return kPlot.left + kPlot.width; }
  double log_left() const { return kPlot.left + (has_zero_ ? kZeroSlot : 0.0); }

  // Powers of ten, with 2 and 5 times them where there are few.
  std::vector<double> ticks() const {
    std::vector<double> found;
    if (!has_log_) return found;
    const bool fine = high_ - low_ < 2.5;
    for (int exponent = static_cast<int>(std::floor(low_)); exponent <= high_; ++exponent) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor > 1.0 && !fine) continue;
        const double tick = factor * std::pow(10.0, exponent);
        if (std::log10(tick) >= low_ && std::log10(tick) <= high_) found.push_back(tick);
      }
    }
    return found;
  }

  bool has_zero_ = false;
  bool has_log_ = false;
  double low_ = 0.0;  // log10
  double high_ = 0.0;
};

// Accuracy as a fraction to pixels; labels in percent.
class VerticalAxis {
 public:
  explicit VerticalAxis(const std::vector<const Row*>& rows) {
    double low = 1.0;
    double high = 0.0;
    for (const Row* row : rows) {
      for (const SeedResult& seed : row->seeds) {
        low = std::min(low, seed.mean_accuracy);
        high = std::max(high, seed.mean_accuracy);
      }
    }
    // Bars may reach out by half the span of the data; an interval of two seeds can be so wide that
    // nothing else would be seen.
    const double reach = 0.5 * std::max(high - low, 0.02);
    double bar_low = low;
    double bar_high = high;
    for (const Row* row : rows) {
      const double half = row->mean->half_width.value_or(0.0);
      bar_low = std::min(bar_low, row->mean->mean - half);
      bar_high = std::max(bar_high, row->mean->mean + half);
    }
    low = std::max(bar_low, low - reach);
    high = std::min(bar_high, high + reach);
    const double margin = std::max(0.005, 0.06 * (high - low));
    low_ = std::max(0.0, low - margin);
    high_ = std::min(1.0, high + margin);
  }

  double at(double accuracy) const {
    return kPlot.top + kPlot.height * (1.0 - (accuracy - low_) / (high_ - low_));
  }

  std::string svg() const {
    std::string text;
    const double step = tick_step();
    const int places = step < 0.01 ? 1 : 0;
    for (double tick = std::ceil(low_ / step) * step; tick <= high_ + 1e-9; tick += step) {
      text += line(kPlot.left, at(tick), kPlot.left + kPlot.width, at(tick), "grid");
      text += text_at(kPlot.left - 8, at(tick) + 4, "end", "soft", fixed(100.0 * tick, places));
    }
    text += line(kPlot.left, kPlot.top, kPlot.left, kPlot.top + kPlot.height, "axis");
    const std::string middle = number(kPlot.top + kPlot.height / 2);
    text += "<text class=\"plain\" text-anchor=\"middle\" transform=\"translate(18 " + middle +
            ") rotate(-90)\">mean accuracy, %</text>\n";
    return text;
  }

 private:
  double tick_step() const {
    constexpr double kWantedTicks = 6.0;
    const double rough = (high_ - low_) / kWantedTicks;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor * power >= rough) return factor * power;
    }
    return 10.0 * power;
  }

  double low_ = 0.0;
  double high_ = 1.0;
};

const std::array<const char*, 5> kSharings = {"per-task", "joint", "grouped", "grouped+specific",
                                              "joint+specific"};

// A mark of the sharing's shape: circle, square, triangle, diamond, triangle upside down; a cross
// for any other sharing.
std::string mark(double x, double y, const std::string& sharing, const std::string& style) {
  constexpr double r = 6.0;
  const auto polygon = [&](const std::vector<Point>& corners) {
    std::string text = "<polygon class=\"" + style + "\" points=\"";
    for (const Point& corner : corners) {
      text += number(x + r * corner.x) + "," + number(y + r * corner.y) + " ";
    }
    return text + "\"/>\n";
  };
  if (sharing == kSharings[0]) {
    return "<circle class=\"" + style + "\"" + attribute("cx", x) + attribute("cy", y) +
           attribute("r", r) + "/>\n";
  }
  if (sharing == kSharings[1]) return polygon({{-.9, -.9}, {.9, -.9}, {.9, .9}, {-.9, .9}});
  if (sharing == kSharings[2]) return polygon({{0, -1.15}, {1.1, .85}, {-1.1, .85}});
  if (sharing == kSharings[3]) return polygon({{0, -1.25}, {1.25, 0}, {0, 1.25}, {-1.25, 0}});
  if (sharing == kSharings[4]) return polygon({{0, 1.15}, {1.1, -.85}, {-1.1, -.85}});
  return polygon({{-1, -.4},
                  {-.4, -.4},
                  {-.4, -1},
                  {.4, -1},
                  {.4, -.4},
                  {1, -.4},
                  {1, .4},
                  {.4, .4},
                  {.4, 1},
                  {-.4, 1},
                  {-.4, .4},
                  {-1, .4}});
}

// Methods get colours in the order of the rows.
std::string colour_of(const std::vector<const Row*>& rows, const Row& row) {
  std::vector<std::string> methods;
  for (const Row* other : rows) {
    if (std::find(methods.begin(), methods.end(), other->method) == methods.end()) {
      methods.push_back(other->method);
    }
  }
  const auto place = std::find(methods.begin(), methods.end(), row.method) - methods.begin();
  return "c" + std::to_string(static_cast<std::size_t>(place) % kColours);
}

std::string sharing_key(const std::vector<const Row*>& rows) {
  std::string text;
  double x = kPlot.left + 8;
  for (const char* sharing : kSharings) {
    const bool used = std::any_of(rows.begin(), rows.end(),
                                  [&](const Row* row) { return row->sharing == sharing; });
    if (!used) continue;
    text += mark(x, 22, sharing, "key") + text_at(x + 12, 26, "start", "soft", sharing);
    x += 40 + kLetterWidth * static_cast<double>(std::string(sharing).size());
  }
  return text + text_at(x, 26, "start", "soft", "bars: 95 % t-interval over seeds; dots: seeds");
}

std::string row_marks(const Row& row, double x, const VerticalAxis& vertical,
                      const std::string& colour) {
  std::string text;
  if (row.mean->half_width) {
    const double top = vertical.at(row.mean->mean + *row.mean->half_width);
    const double bottom = vertical.at(row.mean->mean - *row.mean->half_width);
    text += line(x, top, x, bottom, colour + " bar");
    text += line(x - 4, top, x + 4, top, colour + " bar");
    text += line(x - 4, bottom, x + 4, bottom, colour + " bar");
  }
  for (const SeedResult& seed : row.seeds) {
    text += "<circle class=\"" + colour + " seed\"" + attribute("cx", x) +
            attribute("cy", vertical.at(seed.mean_accuracy)) + " r=\"2.5\"/>\n";
  }
  return text + mark(x, vertical.at(row.mean->mean), row.sharing, colour + " mark");
}

std::string title_of(const Row& row) {
  std::string text = row.label + ": " + fixed(100.0 * row.mean->mean, 2) + " %";
  if (row.mean->half_width) text += " ± " + fixed(100.0 * *row.mean->half_width, 2);
  return text + ", " + grouped_digits(std::llround(mean_trainable(row))) +
         " parameters, n=" + std::to_string(row.mean->n);
}

// The interval of a row as a thin box that labels keep off.
Box bar_box(const Row& row, double x, const VerticalAxis& vertical) {
  const double half = row.mean->half_width.value_or(0.0);
  const double top = vertical.at(row.mean->mean + half);
  return {x - 2, top, 4, vertical.at(row.mean->mean - half) - top};
}

// Labels in the colours of their marks; a line leads to a mark that is not close by.
std::string labels_svg(const std::vector<const Row*>& rows, const std::vector<Point>& points,
                       const std::vector<Box>& bars) {
  std::vector<double> widths;
  for (const Row* row : rows)
    widths.push_back(kLetterWidth * display_width(row->label));
  constexpr double kLabelHeight = kFontSize + 2;
  const std::vector<Box> boxes = place_labels(points, widths, kLabelHeight, kPlot, bars);
  std::string leads;
  std::string labels;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Box& box = boxes[i];
    const std::string colour = colour_of(rows, *rows[i]);
    const Point nearest{std::clamp(points[i].x, box.left, box.left + box.width),
                        std::clamp(points[i].y, box.top, box.top + box.height)};
    constexpr double kNeedsLead = 11.0;
    if (std::hypot(nearest.x - points[i].x, nearest.y - points[i].y) > kNeedsLead) {
      leads += line(points[i].x, points[i].y, nearest.x, nearest.y, colour + " lead");
    }
    labels += text_at(box.left + box.width / 2, box.top + kFontSize - 1, "middle",
                      colour + " label", rows[i]->label);
  }
  return leads + labels;
}

}  // namespace

std::string markup_escaped(const std::string& text) {
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
        result += c;
    }
  }
  return result;
}

std::string scatter_plot(const Report& report) {
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"pl\" viewBox=\"0 0 " +
                    fixed(kWidth, 0) + " " + fixed(kHeight, 0) +
                    "\" role=\"img\" aria-label=\"Mean accuracy against trainable parameters\">\n" +
                    kStyle;
  std::vector<const Row*> rows;
  for (const Row& row : report.rows) {
    if (row.mean) rows.push_back(&row);
  }
  if (rows.empty()) {
    return svg + text_at(kWidth / 2, kHeight / 2, "middle", "plain", "no finished runs") +
           "</svg>\n";
  }
  const HorizontalAxis horizontal(rows);
  const VerticalAxis vertical(rows);
  svg += "<clipPath id=\"pl-area\"><rect" + attribute("x", kPlot.left) +
         attribute("y", kPlot.top - 8) + attribute("width", kPlot.width) +
         attribute("height", kPlot.height + 8) + "/></clipPath>\n";
  svg += horizontal.svg() + vertical.svg() + sharing_key(rows);
  svg += "<g clip-path=\"url(#pl-area)\">\n";
  std::vector<Box> bars;
  if (report.zero_shot) {
    const double y = vertical.at(report.rows[*report.zero_shot].mean->mean);
    bars.push_back({kPlot.left, y - 1, kPlot.width, 2});
    svg += line(kPlot.left, y, kPlot.left + kPlot.width, y, "zero");
  }
  std::vector<Point> points;
  for (const Row* row : rows) {
    const Point point{horizontal.at(mean_trainable(*row)), vertical.at(row->mean->mean)};
    points.push_back(point);
    bars.push_back(bar_box(*row, point.x, vertical));
    svg += "<g><title>" + markup_escaped(title_of(*row)) + "</title>\n" +
           row_marks(*row, point.x, vertical, colour_of(rows, *row)) + "</g>\n";
  }
  svg += "</g>\n" + labels_svg(rows, points, bars);
  return svg + "</svg>\n";
}

}  // namespace petlab::reports
