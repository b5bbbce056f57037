#pragma once

#include <cstddef>
#include <cstdint>

namespace petlab::base {

/// Fast check against damage (not against malice), never 0: FNV-1a over 8-byte words in four lanes.
[[nodiscard]] std::uint64_t checksum(const std::uint8_t* data, std::size_t size);

}  // namespace petlab::base
