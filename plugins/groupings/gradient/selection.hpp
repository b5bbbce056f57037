#pragma once

#include "petlab/sdk/grouping.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::plugins::gradient_grouping {

/// True when `name` fits `pattern`, in which a '*' stands for any text, also none.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view name);

/// Columns of GroupingHost::task_gradients() that count: those of the parameters whose name fits
/// one of the patterns (between commas), of which `layer` at or above 0 takes one row of the first
/// dimension. int64, ascending; undefined when all columns count. Throws Error(config) naming the
/// parameters when none fits, or one has no such layer.
[[nodiscard]] at::Tensor select_columns(const std::vector<sdk::SharedParameter>& parameters,
                                        const std::string& patterns, std::int64_t layer);

}  // namespace petlab::plugins::gradient_grouping
