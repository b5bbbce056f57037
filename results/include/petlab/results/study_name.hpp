#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// A store keeps every plan of a study. The study as its file says it has a plain name; a variant of
// it, with settings that override the file's, has these behind it ("demo [epochs=2]"); a plan that
// was replaced after some of it had been run is kept with a number ("demo (earlier 1)").
namespace petlab::results {

/// "demo [epochs=2, seeds=1]"; the name itself where `settings` is empty.
[[nodiscard]] std::string variant_name(const std::string& study,
                                       const std::vector<std::string>& settings);

/// "demo (earlier 1)".
[[nodiscard]] std::string earlier_name(const std::string& study, std::int64_t number);

/// The study that a variant, an earlier plan or the trials of a search belong to: "demo" of all
/// names above and of "demo [epochs=2]/search".
[[nodiscard]] std::string base_study(const std::string& name);

/// Whether these are the trials of a search, or of a rung of it: "demo/search",
/// "demo/search/rung-1".
[[nodiscard]] bool is_search(const std::string& name);

/// "demo/search", the trials of the study `name`.
[[nodiscard]] std::string search_name(const std::string& name);

/// "demo/search/rung-1", the trials of a rung (from 1) of the search of the study `name`.
[[nodiscard]] std::string rung_name(const std::string& name, std::size_t number);

/// 2 of "demo/search/rung-2"; 0 of any other name.
[[nodiscard]] std::size_t rung_of(const std::string& name);

}  // namespace petlab::results
