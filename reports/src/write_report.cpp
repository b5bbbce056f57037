#include "figures.hpp"
#include "pdf.hpp"
#include "petlab/base/error.hpp"
#include "petlab/reports/render.hpp"
#include "renderers.hpp"
#include "row_table.hpp"
#include "run_table.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

namespace petlab::reports {
namespace {

[[noreturn]] void throw_unwritable(const std::filesystem::path& path) {
  throw base::Error(base::ErrorKind::store, "cannot write report file '" + path.string() + "'");
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

// What each study's files are called: nothing in front where there is one study.
std::vector<std::string> file_stems(const Page& page) {
  if (page.studies.empty()) {
    throw base::Error(base::ErrorKind::config, "a report needs at least one study");
  }
  std::vector<std::string> stems;
  for (const Report& study : page.studies) {
    stems.push_back(file_stem(study.study));
    if (std::count(stems.begin(), stems.end(), stems.back()) > 1) {
      throw base::Error(base::ErrorKind::config,
                        "two studies of one report would both write files called '" + stems.back() +
                            "': name each study once");
    }
  }
  return stems;
}

class Writer {
 public:
  Writer(const Page& page, std::filesystem::path folder)
      : page_(page), stems_(file_stems(page)), folder_(std::move(folder)) {}

  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ / name;
    std::error_code failed;
    std::filesystem::create_directories(path.parent_path(), failed);
    if (failed) throw_unwritable(path.parent_path());
    write_file(path, text);
    written_.push_back(path);
  }

  // "name.csv" for one study, "STUDY.name.csv" for each of several.
  void write_each(const std::string& name, std::string (*render)(const Report&)) {
    for (std::size_t i = 0; i < page_.studies.size(); ++i)
      write(of_study(i) + name, render(page_.studies[i]));
  }

  void write_markdown() {
    for (std::size_t i = 0; i < page_.studies.size(); ++i) {
      const std::string figure = draw_main_figure(engine(), page_.studies[i]);
      const std::string path = figure_path(i, "accuracy_parameters.svg");
      write(of_study(i) + (page_.studies.size() == 1 ? "report.md" : "md"),
            markdown_page(page_.studies[i], path));
      if (!figure.empty()) write(path, figure);
    }
  }

  void write_figures() {
    for (std::size_t i = 0; i < page_.studies.size(); ++i) {
      for (const Figure& figure : draw_figures(engine(), page_.studies[i])) {
        write(figure_path(i, figure.name + ".svg"), figure.svg);
        write(figure_path(i, figure.name + ".pdf"), pdf_of_svg(figure.svg));
      }
    }
  }

  void write_page() { write("report.html", html_page(page_, engine())); }

  std::vector<std::filesystem::path> written() && { return std::move(written_); }

 private:
  // Started when the first chart is drawn.
  ChartEngine& engine() {
    if (!engine_) engine_.emplace();
    return *engine_;
  }

  std::string of_study(std::size_t study) const {
    return page_.studies.size() == 1 ? "" : stems_[study] + ".";
  }

  std::string figure_path(std::size_t study, const std::string& name) const {
    return "figures/" + of_study(study) + name;
  }

  const Page& page_;
  std::vector<std::string> stems_;
  std::filesystem::path folder_;
  std::optional<ChartEngine> engine_;
  std::vector<std::filesystem::path> written_;
};

}  // namespace

std::vector<std::filesystem::path> write_report(const Page& page,
                                                const std::filesystem::path& folder,
                                                const std::vector<Format>& formats) {
  Page without;
  if (!page.times) {
    without = page;
    for (Report& study : without.studies)
      leave_out_times(study);
  }
  const Page& shown = page.times ? page : without;
  Writer writer(shown, folder);
  for (const Format format : formats) {
    switch (format) {
      case Format::markdown:
        writer.write_markdown();
        break;
      case Format::csv:
        writer.write_each("table.csv", table_csv);
        writer.write_each("runs.csv", runs_csv);
        break;
      case Format::latex:
        writer.write_each("table.tex", table_latex);
        break;
      case Format::html:
        writer.write_page();
        break;
      case Format::figures:
        writer.write_figures();
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
