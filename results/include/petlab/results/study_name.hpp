#pragma once

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

/// Whether these are the trials of a search: "demo/search".
[[nodiscard]] bool is_search(const std::string& name);

/// "demo/search", the trials of the study `name`.
[[nodiscard]] std::string search_name(const std::string& name);

}  // namespace petlab::results
