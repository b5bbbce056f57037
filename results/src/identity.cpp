#include "petlab/results/identity.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace petlab::results {

RunIdentity make_identity(NamedValues parts) {
  std::sort(parts.begin(), parts.end());
  std::string canonical;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& [name, value] = parts[i];
    if (name.empty()) {
      throw base::Error(base::ErrorKind::config, "a part of a run's identity has no name");
    }
    if (i > 0 && parts[i - 1].first == name) {
      throw base::Error(base::ErrorKind::config,
                        "part '" + name + "' occurs twice in a run's identity");
    }
    canonical += std::to_string(name.size()) + ':' + name + '=' + std::to_string(value.size()) +
                 ':' + value + '\n';
  }
  return {base::sha256_hex(canonical), std::move(parts)};
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace petlab::results
