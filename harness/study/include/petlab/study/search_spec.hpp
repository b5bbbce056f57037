#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace petlab::study {

/// What a search may put at one key of a row: "learning-rate", "option.n-ctx".
struct SearchSpace {
  enum class Kind { list, log_uniform, uniform };

  std::string key;
  Kind kind = Kind::list;
  std::vector<std::string> values;  ///< of a list: as written, "x3" is 3 times the row's own value
  double low = 0.0, high = 0.0;     ///< of the others
  bool relative = false;            ///< low and high are factors of the row's own value
  std::string origin;               ///< "my.ini:12", opens error messages
};

/// The section [search] of a protocol: how settings are chosen, on development images or on images
/// held out of the training part, with the same number of trials for every row.
struct SearchSpec {
  enum class Strategy { grid, random, halving };
  /// What happens where the best value of a key is the lowest or highest of a grid.
  enum class Edge {
    keep,    ///< it stands
    extend,  ///< values beyond it are tried, until the best lies inside
  };
  /// Share of the training images that is held out where nothing else is said.
  static constexpr double kValidationFraction = 0.5;
  static constexpr std::int64_t kReductionFactor = 3;
  static constexpr double kBudget = 1.0 / 3.0;

  Strategy strategy = Strategy::grid;
  std::int64_t trials = 0;  ///< of each row; 0: as many as the grid has points
  std::int64_t reduction_factor = kReductionFactor;  ///< of halving: of so many one goes on
  double budget = kBudget;           ///< of halving: share of the steps that whole trainings take
  std::string halving_origin = {};   ///< where one of the two was said
  std::vector<std::uint64_t> seeds;  ///< of each trial; empty: the study's
  Edge edge = Edge::keep;
  std::optional<double> validation_fraction = {};  ///< as said; none with development images
  std::string validation_origin = {};              ///< where it was said
  std::vector<SearchSpace> general;  ///< [search] space.KEY: for every method that trains
  std::map<std::string, std::vector<SearchSpace>> methods;  ///< [search.METHOD]: instead or beside
  std::string origin;

  /// Whether trials are drawn from the spaces: at random, or as the candidates of halving where
  /// their number is said. Else they are all points of a grid.
  [[nodiscard]] bool draws() const {
    return strategy == Strategy::random || (strategy == Strategy::halving && trials > 0);
  }
};

[[nodiscard]] std::string to_string(SearchSpec::Strategy strategy);

}  // namespace petlab::study
