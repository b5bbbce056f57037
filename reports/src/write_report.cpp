#include "class_table.hpp"
#include "cross_domain.hpp"
#include "figures.hpp"
#include "known_answers.hpp"
#include "pdf.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/reports/render.hpp"
#include "renderers.hpp"
#include "row_table.hpp"
#include "run_table.hpp"
#include "train_size_studies.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace petlab::reports {
namespace {

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

  // To a draft: a report that cannot be written whole leaves the old one as it was.
  void write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ / name;
    make_folders(path.parent_path());
    const base::WriteOptions options{.durability = base::Durability::process,
                                     .failure = base::ErrorKind::store};
    drafts_.push_back(std::make_unique<base::AtomicFile>(path, options));
    drafts_.back()->write(text);
    drafts_.back()->close();
    written_.push_back(path);
  }

  // "name.csv" for one study, "STUDY.name.csv" for each of several.
  void write_each(const std::string& name, std::string (*render)(const Report&)) {
    for (std::size_t i = 0; i < page_.studies.size(); ++i)
      write(of_study(i) + name, render(page_.studies[i]));
  }

  // Of side tables that few studies have.
  void write_side_tables() {
    for (std::size_t i = 0; i < page_.studies.size(); ++i) {
      const Report& study = page_.studies[i];
      if (!study.cross_domain.empty())
        write(of_study(i) + "cross_domain.csv", cross_domain_csv(study));
      if (has_known_answers(study))
        write(of_study(i) + "known_answers.csv", known_answers_csv(study));
    }
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
        write_figure(figure_path(i, figure.name), figure);
      }
    }
    const std::vector<TrainSizes> sizes = train_sizes_over(page_.studies);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const Figure figure = draw_train_sizes(engine(), sizes[i], i);
      write_figure("figures/" + figure.name, figure);
    }
  }

  void write_page() { write("report.html", html_page(page_, engine())); }

  /// Puts all files in their places.
  std::vector<std::filesystem::path> commit() && {
    for (const auto& draft : drafts_)
      draft->commit();
    made_folders_.clear();
    return std::move(written_);
  }

  ~Writer() {
    drafts_.clear();
    std::error_code ignored;
    for (auto folder = made_folders_.rbegin(); folder != made_folders_.rend(); ++folder)
      std::filesystem::remove(*folder, ignored);  // if nobody put anything else there
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

 private:
  void make_folders(const std::filesystem::path& folder) {
    std::error_code failed;
    if (folder.empty() || std::filesystem::exists(folder, failed)) return;
    make_folders(folder.parent_path());
    if (std::filesystem::create_directory(folder, failed)) made_folders_.push_back(folder);
    if (failed)
      throw base::Error(base::ErrorKind::store, "cannot make the folder '" +
                                                    base::printable(folder) +
                                                    "' of the report: " + failed.message());
  }

  void write_figure(const std::string& path, const Figure& figure) {
    write(path + ".svg", figure.svg);
    write(path + ".pdf", pdf_of_svg(figure.svg));
  }

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
  std::vector<std::filesystem::path> made_folders_;
  std::vector<std::unique_ptr<base::AtomicFile>> drafts_;
};

// The page as it is shown: `without`, a copy, where something is left out.
const Page& shown_of(const Page& page, Page& without) {
  if (page.times) return page;
  without = page;
  for (Report& study : without.studies)
    leave_out_times(study);
  return without;
}

}  // namespace

std::vector<std::filesystem::path> write_report(const Page& page,
                                                const std::filesystem::path& folder,
                                                const std::vector<Format>& formats) {
  Page without;
  const Page& shown = shown_of(page, without);
  Writer writer(shown, folder);
  for (const Format format : formats) {
    switch (format) {
      case Format::markdown:
        writer.write_markdown();
        break;
      case Format::csv:
        writer.write_each("table.csv", table_csv);
        writer.write_each("runs.csv", runs_csv);
        writer.write_each("classes.csv", classes_csv);
        writer.write_each("confusions.csv", confusions_csv);
        writer.write_side_tables();
        break;
      case Format::json:
        writer.write("report.json", report_json(shown));
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
  return std::move(writer).commit();
}

std::string report_text(const Page& page, Format format, CsvTable table) {
  Page without;
  const Page& shown = shown_of(page, without);
  if (format == Format::json) return report_json(shown);
  if (shown.studies.size() != 1)
    throw base::Error(base::ErrorKind::config,
                      "only JSON holds several studies in one text; name one with --study");
  const Report& report = shown.studies.front();
  switch (format) {
    case Format::markdown:
      return markdown_page(report, "");
    case Format::latex:
      return table_latex(report);
    case Format::csv:
      return table == CsvTable::rows      ? table_csv(report)
             : table == CsvTable::runs    ? runs_csv(report)
             : table == CsvTable::classes ? classes_csv(report)
                                          : confusions_csv(report);
    default:
      throw base::Error(base::ErrorKind::config,
                        "a page and figures are files; expected markdown, csv, latex or json");
  }
}

std::vector<std::filesystem::path> write_report(const Report& report,
                                                const std::filesystem::path& folder,
                                                const std::vector<Format>& formats) {
  return write_report(Page{.title = "", .studies = {report}, .times = true}, folder, formats);
}

}  // namespace petlab::reports
