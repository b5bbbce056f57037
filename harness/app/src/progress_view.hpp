#pragma once

#include "petlab/engine/progress.hpp"
#include "petlab/study/plan.hpp"
#include "petlab/study/study_runner.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace petlab::app {

/// Shows a study on its way: a line for each run that ends, and on a terminal a bar below them with
/// the runs at work, their phases and the time left.
class ProgressView final : public study::StudyObserver {
 public:
  enum class Detail { bar, lines, nothing };

  /// `jobs` must outlive this object.
  ProgressView(const std::vector<study::Job>& jobs, Detail detail);
  ~ProgressView() override;

  void started(std::size_t job) override;
  void phase(std::size_t job, const std::string& name, std::int64_t total) override;
  void update(std::size_t job, std::int64_t done, const std::string& detail) override;
  void note(std::size_t job, const std::string& text) override;
  void done(std::size_t job, double mean_accuracy, double seconds) override;
  void failed(std::size_t job, const std::string& message, double seconds) override;
  void elsewhere(std::size_t job, study::Elsewhere what, const std::string& message) override;
  void waiting(std::size_t runs, const std::string& holder) override;
  void tick() override;

 private:
  struct State {
    std::string phase = "start";
    std::int64_t done = 0;
    std::int64_t total = 0;
    std::string detail;
    [[nodiscard]] double fraction() const;
  };

  [[nodiscard]] std::string name(std::size_t job) const;
  [[nodiscard]] std::string bar() const;
  /// "[3/16] row seed 1", of the run that ended last.
  [[nodiscard]] std::string place(std::size_t job) const;
  [[nodiscard]] std::string time_left() const;
  void print(const std::string& line);
  void clear();

  const std::vector<study::Job>& jobs_;
  Detail detail_;
  std::map<std::size_t, State> active_;
  std::size_t ended_ = 0;
  std::size_t failed_ = 0;
  std::size_t name_width_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Counts pictures on the way into the cache, on a terminal; one line elsewhere.
class ImageCounter final : public engine::Progress {
 public:
  explicit ImageCounter(bool is_terminal) : is_terminal_(is_terminal) {}
  ~ImageCounter() override;

  void begin(std::string_view phase, std::int64_t total) override;
  void update(std::int64_t done, std::string_view detail) override;
  void note(std::string_view text) override;

 private:
  bool is_terminal_;
  const char* work_ = "decoding";
  std::int64_t total_ = 0;  ///< of the phase; 0: not images
};

/// "45 s", "3 min 20 s", "2 h 5 min".
[[nodiscard]] std::string duration_text(double seconds);

/// Columns of the terminal that `descriptor` is; 0 when it is none.
[[nodiscard]] int terminal_columns(int descriptor);

/// Whether standard output is a terminal and the user has not asked for plain text (NO_COLOR).
[[nodiscard]] bool shows_marks();

}  // namespace petlab::app
