#include "petlab/reports/render.hpp"
#include "petlab/sdk/error.hpp"
#include "renderers.hpp"
#include "scatter_plot.hpp"

#include <fstream>
#include <system_error>

namespace petlab::reports {
namespace {

[[noreturn]] void throw_unwritable(const std::filesystem::path& path) {
  throw sdk::Error(sdk::ErrorKind::store, "cannot write report file '" + path.string() + "'");
}

// A reader sees the old file or the new one, never half of it.
void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::path draft = path;
  draft += ".new";
  {
    std::ofstream file(draft, std::ios::binary);
    file << text;
    file.flush();
    if (!file) throw_unwritable(path);
  }
  std::error_code failed;
  std::filesystem::rename(draft, path, failed);
  if (failed) throw_unwritable(path);
}

}  // namespace

std::vector<std::filesystem::path> write_report(const Report& report,
                                                const std::filesystem::path& folder,
                                                const std::vector<Format>& formats) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw_unwritable(folder);
  std::vector<std::filesystem::path> written;
  const auto write = [&](const char* name, const std::string& text) {
    write_file(folder / name, text);
    written.push_back(folder / name);
  };
  for (const Format format : formats) {
    switch (format) {
      case Format::markdown:
        write("report.md", markdown_page(report));
        write("accuracy_parameters.svg", scatter_plot(report));
        break;
      case Format::csv:
        write("table.csv", table_csv(report));
        write("runs.csv", runs_csv(report));
        break;
      case Format::html:
        write("report.html", html_page(report));
        break;
    }
  }
  return written;
}

}  // namespace petlab::reports
