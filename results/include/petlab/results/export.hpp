#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace petlab::results {

/// Writes every view that petlab gives a store (accuracy, cost, ...) as VIEW.csv into `folder`,
/// which is made where there is none; views that somebody added are left alone. With `study`, only
/// the lines of that study. Returns the files in the order of their names. All of them show one
/// state of the store; each is written beside its place and then moved there.
///
/// RFC 4180: UTF-8, a header line, comma, lines end with CR LF, fields with a comma, a quote or a
/// line break are quoted. Numbers read back as the same double. NULL is an empty field, an empty
/// text is "". A text that a spreadsheet would take for a formula (base::spreadsheet_text) begins
/// with an apostrophe.
///
/// Throws base::Error(store) when the store cannot be read, when a run in it contradicts itself or
/// a view is not petlab's any more, when it holds no such study, or when a file cannot be written.
std::vector<std::filesystem::path> export_views(
    const std::filesystem::path& store, const std::filesystem::path& folder,
    const std::optional<std::string>& study = std::nullopt);

}  // namespace petlab::results
