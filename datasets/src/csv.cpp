#include "petlab/datasets/csv.hpp"

#include "petlab/sdk/error.hpp"

#define CSV_IO_NO_THREAD  // the files are small; no reader thread
#include <libfccp/csv.h>

#include <fstream>
#include <tuple>

namespace petlab::datasets {

template <std::size_t N>
std::vector<std::array<std::string, N>> read_csv(const std::filesystem::path& file,
                                                 const std::array<const char*, N>& columns) {
  using Reader =
      io::CSVReader<static_cast<unsigned>(N), io::trim_chars<>, io::double_quote_escape<',', '"'>>;
  std::ifstream in(file, std::ios::binary);
  if (!in) throw sdk::Error(sdk::ErrorKind::data, "cannot open " + file.string());
  const auto fail = [&](const io::error::base& error, unsigned line) {
    // The library's text names the column; the file and the line are said in our own words.
    error.format_error_message();
    std::string reason = error.error_message_buffer;
    if (const auto at = reason.find(" in file"); at != std::string::npos) reason.resize(at);
    if (const auto at = reason.find(" in line"); at != std::string::npos) reason.resize(at);
    throw sdk::Error(sdk::ErrorKind::data,
                     file.string() + " line " + std::to_string(line) + ": " + reason);
  };
  std::vector<std::array<std::string, N>> rows;
  unsigned line = 1;
  try {
    Reader reader(file.filename().string(), in);
    std::apply([&](const auto&... c) { reader.read_header(io::ignore_no_column, c...); }, columns);
    while (true) {
      std::array<std::string, N> row;
      line = reader.get_file_line() + 1;
      const bool more = std::apply([&](auto&... cell) { return reader.read_row(cell...); }, row);
      if (!more) break;
      rows.push_back(std::move(row));
    }
  } catch (const io::error::base& error) {
    fail(error, line);
  }
  return rows;
}

template std::vector<std::array<std::string, 2>> read_csv(const std::filesystem::path&,
                                                          const std::array<const char*, 2>&);
template std::vector<std::array<std::string, 3>> read_csv(const std::filesystem::path&,
                                                          const std::array<const char*, 3>&);
template std::vector<std::array<std::string, 4>> read_csv(const std::filesystem::path&,
                                                          const std::array<const char*, 4>&);
template std::vector<std::array<std::string, 5>> read_csv(const std::filesystem::path&,
                                                          const std::array<const char*, 5>&);

std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace petlab::datasets
