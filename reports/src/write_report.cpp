#include "petlab/reports/render.hpp"
#include "petlab/sdk/error.hpp"
#include "renderers.hpp"
#include "scatter_plot.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <system_error>
#include <utility>

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

// Study names may hold anything; file names may not.
std::string file_stem(const std::string& study) {
  std::string stem;
  for (const char c : study) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || byte >= 0x80U;
    stem.push_back(plain ? c : '-');
  }
  if (stem.empty() || stem.front() == '.') stem.insert(0, "study");
  return stem;
}

// What each study's files are called: nothing in front where there is one study.
std::vector<std::string> file_stems(const Page& page) {
  if (page.studies.empty()) {
    throw sdk::Error(sdk::ErrorKind::config, "a report needs at least one study");
  }
  std::vector<std::string> stems;
  for (const Report& study : page.studies) {
    stems.push_back(file_stem(study.study));
    if (std::count(stems.begin(), stems.end(), stems.back()) > 1) {
      throw sdk::Error(sdk::ErrorKind::config,
                       "two studies of one report would both write files called '" + stems.back() +
                           "': name each study once");
    }
  }
  return stems;
}

class Writer {
 public:
  Writer(const Page& page, std::filesystem::path folder)
      : page_(page), stems_(file_stems(page)), folder_(std::move(folder)) {
    make_folder(folder_);
  }

  void write_once(const std::string& name, const std::string& text) {
    write_file(folder_ / name, text);
    written_.push_back(folder_ / name);
  }

  // "name.csv" for one study, "STUDY.name.csv" for each of several; "report.md" becomes "STUDY.md".
  void write_each(const std::string& name, std::string (*render)(const Report&)) {
    for (std::size_t i = 0; i < page_.studies.size(); ++i)
      write_once(file_name(i, name), render(page_.studies[i]));
  }

  std::vector<std::filesystem::path> written() && { return std::move(written_); }

 private:
  static void make_folder(const std::filesystem::path& folder) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) throw_unwritable(folder);
  }

  std::string file_name(std::size_t study, const std::string& name) const {
    if (page_.studies.size() == 1) return name;
    const std::string report = "report.";
    const bool is_report = name.compare(0, report.size(), report) == 0;
    return stems_[study] + "." + (is_report ? name.substr(report.size()) : name);
  }

  const Page& page_;
  std::vector<std::string> stems_;
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> written_;
};

}  // namespace

std::vector<std::filesystem::path> write_report(const Page& page,
                                                const std::filesystem::path& folder,
                                                const std::vector<Format>& formats) {
  Page shown = page;
  if (!shown.times) {
    for (Report& study : shown.studies)
      leave_out_times(study);
  }
  Writer writer(shown, folder);
  for (const Format format : formats) {
    switch (format) {
      case Format::markdown:
        writer.write_each("report.md", markdown_page);
        writer.write_each("accuracy_parameters.svg", scatter_plot);
        break;
      case Format::csv:
        writer.write_each("table.csv", table_csv);
        writer.write_each("runs.csv", runs_csv);
        break;
      case Format::html:
        writer.write_once("report.html", html_page(shown));
        break;
    }
  }
  return std::move(writer).written();
}

std::vector<std::filesystem::path> write_report(const Report& report,
                                                const std::filesystem::path& folder,
                                                const std::vector<Format>& formats) {
  return write_report(Page{.title = "", .studies = {report}, .times = true}, folder, formats);
}

}  // namespace petlab::reports
