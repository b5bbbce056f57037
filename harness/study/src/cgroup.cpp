#include "cgroup.hpp"

#include "petlab/base/numbers.hpp"

#include <fstream>
#include <sstream>

namespace petlab::study {

namespace fs = std::filesystem;

std::vector<fs::path> cgroup_folders(const fs::path& mount, const std::string& self) {
  std::istringstream lines(self);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("0::/")) continue;  // the others are of version 1
    std::vector<fs::path> folders;
    for (fs::path below = line.substr(4); !below.empty(); below = below.parent_path())
      folders.push_back(mount / below);
    folders.push_back(mount);
    return folders;
  }
  return {};
}

std::optional<double> cpu_quota(const std::vector<fs::path>& folders) {
  std::optional<double> least;
  for (const fs::path& folder : folders) {
    std::string quota, period;
    std::ifstream(folder / "cpu.max") >> quota >> period;
    const auto part = base::parse_number<double>(quota), whole = base::parse_number<double>(period);
    if (!part || !whole || *part <= 0 || *whole <= 0) continue;  // "max 100000", or no such file
    if (!least || *part / *whole < *least) least = *part / *whole;
  }
  return least;
}

}  // namespace petlab::study
