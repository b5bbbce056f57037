#include "progress_view.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace petlab::app {
namespace {

constexpr std::size_t kBarWidth = 20;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, pattern, values...);
  return buffer;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) return format(seconds < 9.95 ? "%.1f s" : "%.0f s", seconds);
  if (whole < 3600) return format("%ld min %ld s", whole / 60, whole % 60);
  return format("%ld h %ld min", whole / 3600, whole % 3600 / 60);
}

int terminal_columns(int descriptor) {
  winsize size{};
  if (isatty(descriptor) == 0) return 0;
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

bool shows_marks() {
  const char* no_color = std::getenv("NO_COLOR");
  return terminal_columns(STDOUT_FILENO) > 0 && (no_color == nullptr || *no_color == '\0');
}

double ProgressView::State::fraction() const {
  // Training is nearly all of a run; the phases before it count as its begin, evaluation as its
  // end.
  if (phase == "evaluate") return 0.95;
  if (phase != "train" || total <= 0) return 0.0;
  return 0.95 * static_cast<double>(done) / static_cast<double>(total);
}

ProgressView::ProgressView(const std::vector<study::Job>& jobs, Detail detail)
    : jobs_(jobs), detail_(detail) {
  for (std::size_t job = 0; job < jobs.size(); ++job)
    name_width_ = std::max(name_width_, name(job).size());
}

ProgressView::~ProgressView() {
  clear();
}

std::string ProgressView::name(std::size_t job) const {
  const engine::RunSpec& spec = jobs_[job].spec;
  const bool several = jobs_.front().spec.study != jobs_.back().spec.study;
  return (several ? spec.study + " " : "") + spec.label + " seed " + std::to_string(spec.seed);
}

void ProgressView::started(std::size_t job) {
  active_[job] = State{};
}

void ProgressView::phase(std::size_t job, const std::string& phase_name, std::int64_t total) {
  State& state = active_[job];
  state.phase = phase_name;
  state.total = total;
  state.done = 0;
  state.detail.clear();
}

void ProgressView::update(std::size_t job, std::int64_t done, const std::string& detail) {
  active_[job].done = done;
  active_[job].detail = detail;
}

void ProgressView::note(std::size_t job, const std::string& text) {
  print(name(job) + ": " + text);
}

std::string ProgressView::place(std::size_t job) const {
  return format("[%zu/%zu] %-*s  ", ended_, jobs_.size(), static_cast<int>(name_width_),
                name(job).c_str());
}

void ProgressView::done(std::size_t job, double mean_accuracy, double seconds) {
  active_.erase(job);
  ++ended_;
  print(place(job) +
        format("accuracy %.1f %%  %s", 100.0 * mean_accuracy, duration_text(seconds).c_str()));
}

void ProgressView::failed(std::size_t job, const std::string& message, double seconds) {
  active_.erase(job);
  ++ended_;
  ++failed_;
  print(place(job) + "FAILED after " + duration_text(seconds) + ": " + message);
}

void ProgressView::elsewhere(std::size_t job, study::Elsewhere what, const std::string& message) {
  active_.erase(job);
  if (what == study::Elsewhere::taken) {
    print(name(job) + ": left to another petlab, which took it over while this one stood still");
    return;
  }
  ++ended_;
  if (what == study::Elsewhere::held) {
    print(place(job) + "NOT waited for: a lease holds it for " + message);
    return;
  }
  if (what == study::Elsewhere::failed) ++failed_;
  print(place(job) + (what == study::Elsewhere::done ? "done by another petlab"
                                                     : "FAILED in another petlab: " + message));
}

void ProgressView::waiting(std::size_t runs, const std::string& holder) {
  print("waiting for " + std::to_string(runs) + (runs == 1 ? " run" : " runs") +
        " that another petlab on this store works on" +
        (holder.empty() ? "" : " (" + holder + ")"));
}

void ProgressView::tick() {
  if (detail_ != Detail::bar) return;
  std::fputs(("\r\x1b[K" + bar()).c_str(), stdout);
  std::fflush(stdout);
}

std::string ProgressView::time_left() const {
  double finished = static_cast<double>(ended_);
  for (const auto& [job, state] : active_)
    finished += state.fraction();
  const double elapsed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  if (finished < 0.5 || elapsed < 2.0) return "";
  const double left = elapsed * (static_cast<double>(jobs_.size()) - finished) / finished;
  return "  about " + duration_text(std::max(1.0, left)) + " left";
}

std::string ProgressView::bar() const {
  const std::size_t filled = jobs_.empty() ? kBarWidth : kBarWidth * ended_ / jobs_.size();
  std::string text = "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " +
                     std::to_string(ended_) + "/" + std::to_string(jobs_.size()) + " runs";
  if (failed_ > 0) text += ", " + std::to_string(failed_) + " failed";
  text += time_left();
  for (const auto& [job, state] : active_) {
    text += " | " + name(job) + " " + state.phase;
    if (state.total > 0)
      text += format(" %.0f %%",
                     100.0 * static_cast<double>(state.done) / static_cast<double>(state.total));
    if (!state.detail.empty()) text += " " + state.detail;
  }
  const auto columns = static_cast<std::size_t>(std::max(20, terminal_columns(STDOUT_FILENO)));
  return text.size() < columns ? text : text.substr(0, columns - 1);
}

void ProgressView::print(const std::string& line) {
  if (detail_ == Detail::nothing) return;
  clear();
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

void ProgressView::clear() {
  if (detail_ == Detail::bar) std::fputs("\r\x1b[K", stdout);
  std::fflush(stdout);
}

void ImageCounter::begin(std::string_view phase, std::int64_t total) {
  total_ = total;
  work_ = phase == "images" ? "decoding" : phase == "original images" ? "copying" : "testing on";
  if (!is_terminal_ && total > 0)
    std::fprintf(stderr, "%s %lld images\n", work_, static_cast<long long>(total));
}

void ImageCounter::update(std::int64_t done, std::string_view) {
  if (is_terminal_ && total_ > 0 && (done % 64 == 0 || done == total_))
    std::fprintf(stderr, "\r%s images %lld/%lld\x1b[K", work_, static_cast<long long>(done),
                 static_cast<long long>(total_));
}

void ImageCounter::note(std::string_view text) {
  std::fprintf(stderr, "%s%.*s\n", is_terminal_ && total_ > 0 ? "\n" : "",
               static_cast<int>(text.size()), text.data());
}

ImageCounter::~ImageCounter() {
  if (is_terminal_ && total_ > 0) std::fputs("\n", stderr);
}

}  // namespace petlab::app
