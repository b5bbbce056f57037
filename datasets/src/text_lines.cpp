#include "text_lines.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"
#include "petlab/base/text_encoding.hpp"

#include <algorithm>
#include <string_view>

namespace petlab::datasets {

std::vector<TextLine> read_lines(const std::filesystem::path& file) {
  const std::string bytes = base::read_text_file(file);
  if (base::is_lfs_pointer(bytes))
    base::throw_data_error(base::printable(file) + base::kLfsPointer);
  std::string_view rest =
      base::without_byte_order_mark(bytes, base::printable(file), base::ErrorKind::data);
  std::vector<TextLine> lines;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    constexpr std::string_view kBlanks = " \t\r";
    const std::size_t first = line.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
    lines.push_back({std::string(line), number});
  }
  if (lines.empty()) base::throw_data_error(base::printable(file) + " has no line of text");
  return lines;
}

}  // namespace petlab::datasets
