#pragma once

#include <span>
#include <string>
#include <string_view>

namespace petlab::pretrain {

/// The common name of a subject: "tv" -> "television", "paperclip" -> "paper clip". Subjects
/// without a listed synonym come back unchanged.
[[nodiscard]] std::string canonical_subject(const std::string& subject);

/// All listed names of a canonical subject, itself included; empty when it has no synonym.
[[nodiscard]] std::span<const std::string_view> synonyms_of(std::string_view subject);

}  // namespace petlab::pretrain
