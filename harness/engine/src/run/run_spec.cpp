#include "petlab/engine/run_spec.hpp"

#include "petlab/base/error.hpp"

namespace petlab::engine {

Sharing parse_sharing(const std::string& text) {
  if (const auto sharing = parse_value<Sharing>(text)) return *sharing;
  std::string known;
  for (const std::string& name : value_names<Sharing>())
    known += (known.empty() ? "" : ", ") + name;
  base::throw_config_error("sharing is '" + text + "', expected one of " + known);
}

}  // namespace petlab::engine
