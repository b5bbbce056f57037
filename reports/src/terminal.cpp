#include "left_out.hpp"
#include "numbers.hpp"
#include "petlab/base/text.hpp"
#include "petlab/reports/render.hpp"
#include "row_table.hpp"
#include "side_tables.hpp"
#include "table_model.hpp"
#include "train_size_studies.hpp"

#include <algorithm>
#include <iterator>
#include <ostream>

namespace petlab::reports {
namespace {

constexpr const char* kGap = "  ";
constexpr int kGapWidth = 2;
constexpr const char* kBold = "\x1b[1m";
constexpr const char* kUnderlined = "\x1b[4m";
constexpr const char* kPlain = "\x1b[0m";

// Names come out of a store that may be anybody's.
TextTable printable(TextTable table) {
  for (Column& column : table.columns)
    column.title = base::escaped(column.title);
  for (auto& cells : table.rows)
    for (std::string& cell : cells)
      cell = base::escaped(cell);
  return table;
}

// How many columns the mark at the end of a cell takes.
int mark_width(const std::string& text) {
  for (const char* mark : {kRealMark, kNotRealMark, kEquivalentMark})
    if (text.ends_with(mark)) return display_width(mark);
  return 0;
}

// Places are shown by [1] and [2]; the terminal's bold and underline come on top. Cells without a
// place or a mark get blanks instead, so that digits stand below digits.
TextTable with_places(TextTable table) {
  const bool any_place = std::any_of(table.places.begin(), table.places.end(),
                                     [](Place place) { return place != Place::none; });
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].align == Align::left) continue;
    int widest_mark = 0;
    for (const auto& cells : table.rows)
      widest_mark = std::max(widest_mark, mark_width(cells[c]));
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      std::string& cell = table.rows[r][c];
      cell.append(static_cast<std::size_t>(widest_mark - mark_width(cell)), ' ');
      if (!table.columns[c].marked || !any_place) continue;
      if (table.places[r] == Place::none) cell += "    ";
      if (table.places[r] == Place::best) cell += " [1]";
      if (table.places[r] == Place::second) cell += " [2]";
    }
  }
  return table;
}

std::vector<int> widths_of(const TextTable& table) {
  std::vector<int> widths;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    int width = display_width(table.columns[c].heading());
    for (const auto& cells : table.rows)
      width = std::max(width, display_width(cells[c]));
    widths.push_back(width);
  }
  return widths;
}

// The columns that fit, in table order: while the table is too wide, the last of the least
// important ones goes.
std::vector<std::size_t> fitting_columns(const TextTable& table, const std::vector<int>& widths,
                                         int limit) {
  std::vector<std::size_t> kept;
  for (std::size_t c = 0; c < widths.size(); ++c)
    kept.push_back(c);
  const auto total = [&] {
    int sum = 0;
    for (const std::size_t c : kept)
      sum += widths[c] + kGapWidth;
    return sum - kGapWidth;
  };
  while (limit > 0 && total() > limit) {
    const auto least = std::max_element(kept.rbegin(), kept.rend(), [&](auto a, auto b) {
      return table.columns[a].importance < table.columns[b].importance;
    });
    if (table.columns[*least].importance == 0) break;
    kept.erase(std::next(least).base());
  }
  return kept;
}

std::string padded(const std::string& text, int width, Align align) {
  const std::string space(static_cast<std::size_t>(std::max(0, width - display_width(text))), ' ');
  return align == Align::left ? text + space : space + text;
}

void print_wrapped(std::ostream& out, const std::string& raw, int width, int indent);

class TablePrinter {
 public:
  TablePrinter(std::ostream& out, TextTable table, const TableStyle& style)
      : out_(out),
        table_(with_places(printable(std::move(table)))),
        style_(style),
        widths_(widths_of(table_)),
        kept_(fitting_columns(table_, widths_, style.width)) {}

  void print() const {
    line([&](std::size_t c) {
      return padded(table_.columns[c].heading(), widths_[c], table_.columns[c].align);
    });
    line([&](std::size_t c) { return std::string(static_cast<std::size_t>(widths_[c]), '-'); });
    for (std::size_t r = 0; r < table_.rows.size(); ++r) {
      line([&](std::size_t c) { return cell(r, c); });
    }
    print_left_out();
  }

 private:
  template <class Cell>
  void line(Cell text_of) const {
    std::string text;
    for (const std::size_t c : kept_) {
      if (!text.empty()) text += kGap;
      text += text_of(c);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out_ << text << '\n';
  }

  std::string cell(std::size_t r, std::size_t c) const {
    const Column& column = table_.columns[c];
    const Place place = table_.places[r];
    const std::string text = padded(table_.rows[r][c], widths_[c], column.align);
    if (!style_.ansi || !column.marked || place == Place::none) return text;
    return (place == Place::best ? kBold : kUnderlined) + text + kPlain;
  }

  void print_left_out() const {
    std::string names;
    for (std::size_t c = 0; c < table_.columns.size(); ++c) {
      if (std::find(kept_.begin(), kept_.end(), c) != kept_.end()) continue;
      names += (names.empty() ? "" : ", ") + table_.columns[c].heading();
    }
    if (!names.empty())
      print_wrapped(out_, "(left out to fit: " + names + "; the report files have all)",
                    style_.width, 2);
  }

  std::ostream& out_;
  TextTable table_;
  TableStyle style_;
  std::vector<int> widths_;
  std::vector<std::size_t> kept_;
};

// Text in lines of at most `width` columns, the second and later ones indented.
void print_wrapped(std::ostream& out, const std::string& raw, int width, int indent) {
  const std::string text = base::escaped(raw);
  const int limit = width > indent + 20 ? width : 100;
  int column = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find(' ', at);
    if (end == std::string::npos) end = text.size();
    const std::string word = text.substr(at, end - at);
    const int length = display_width(word);
    if (column > indent && column + 1 + length > limit) {
      out << '\n' << std::string(static_cast<std::size_t>(indent), ' ');
      column = indent;
    } else if (at > 0) {
      out << ' ';
      ++column;
    }
    out << word;
    column += length;
    at = end + 1;
  }
  out << '\n';
}

void print_list(std::ostream& out, const std::string& title, const std::vector<std::string>& items,
                int width) {
  if (items.empty()) return;
  out << '\n' << title << '\n';
  for (const std::string& item : items)
    print_wrapped(out, "  - " + item, width, 4);
}

template <class Item>
std::vector<std::string> texts_of(const std::vector<Item>& items,
                                  std::string (*text)(const Item&)) {
  std::vector<std::string> texts;
  for (const Item& item : items)
    texts.push_back(text(item));
  return texts;
}

void print_side_table(std::ostream& out, const std::string& title, const TextTable& table,
                      const std::vector<std::string>& legend, const TableStyle& style) {
  out << "\n" << title << "\n";
  TablePrinter(out, table, style).print();
  for (const std::string& line : legend)
    print_wrapped(out, line, style.width, 2);
}

}  // namespace

void print_joint_tables(std::ostream& out, const std::vector<Report>& studies,
                        const TableStyle& style) {
  const TextTable table = make_left_out_table(studies);
  if (!table.rows.empty())
    print_side_table(out, kLeftOutTitle, table, make_left_out_legend(studies), style);
  for (const TrainSizes& sizes : train_sizes_over(studies))
    print_side_table(out, kTrainSizeTitle, make_train_size_table(sizes),
                     make_train_size_legend(sizes), style);
}

void print_table(std::ostream& out, const Report& report, const TableStyle& style) {
  const std::string nothing = nothing_to_show(report);
  if (!nothing.empty()) {
    out << nothing << '\n';
    print_list(out, "Failed runs", texts_of(report.failures, failure_text), style.width);
    return;
  }
  std::size_t longest = 0;
  for (const auto& [name, text] : report.facts)
    longest = std::max(longest, name.size());
  for (const auto& [name, text] : report.facts) {
    const std::string head = name + std::string(longest - name.size() + 2, ' ');
    print_wrapped(out, head + text, style.width, static_cast<int>(longest) + 2);
  }
  out << '\n';
  TablePrinter(out, make_table(report), style).print();
  out << '\n';
  print_wrapped(out, "[1] best, [2] second best mean among rows without gaps.", style.width, 2);
  for (const std::string& line : make_legend(report))
    print_wrapped(out, line, style.width, 2);
  for (const SideTable& side : side_tables(report))
    print_side_table(out, side.title, side.table, side.legend, style);
  print_list(out, "Notes", {report.notes.begin(), report.notes.end()}, style.width);
  std::vector<std::string> groupings;
  for (const FoundGrouping& found : report.groupings)
    groupings.push_back(grouping_text(found, report.times));
  print_list(out, "Groupings", groupings, style.width);
  print_list(out, "Failed runs", texts_of(report.failures, failure_text), style.width);
}

}  // namespace petlab::reports
