#include "petlab/results/adapter_files.hpp"

#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/mapped_file.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/store_address.hpp"

#include <algorithm>
#include <system_error>

namespace petlab::results {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const RunRecord& run, const std::string& what) {
  throw base::Error(base::ErrorKind::data,
                    "the adapters of run " + base::short_hash(run.identity.hash) + " " + what);
}

void check_digest(const RunRecord& run, const fs::path& file, const std::string& found) {
  if (found != run.adapters_hash)
    refuse(run, "are not what they were: '" + base::printable(file) + "' has the digest " +
                    base::short_hash(found) + ", its store says " +
                    base::short_hash(run.adapters_hash));
}

}  // namespace

fs::path adapter_file(const fs::path& store, const std::string& identity) {
  fs::path folder = beside_store(store);
  folder += ".adapters";
  return folder / (identity + ".safetensors");
}

std::string adapter_trouble(const fs::path& store, const RunRecord& run) {
  if (run.adapters_hash.empty()) return "";
  const fs::path file = adapter_file(store, run.identity.hash);
  std::error_code failed;
  const std::uintmax_t bytes = fs::file_size(file, failed);
  if (failed) return "are missing: there is no file '" + base::printable(file) + "'";
  if (bytes != static_cast<std::uintmax_t>(run.adapters_bytes))
    return "are not what they were: '" + base::printable(file) + "' has " + std::to_string(bytes) +
           " bytes, its store says " + std::to_string(run.adapters_bytes);
  return "";
}

fs::path checked_adapter_file(const fs::path& store, const RunRecord& run) {
  if (run.kind == run_kind::kEvaluation)
    refuse(run, "are those of run " + base::short_hash(run.parent.value_or("")) +
                    ", which it evaluates; name that one");
  if (run.adapters_hash.empty())
    refuse(run,
           "were not kept: it is older than version 6 of the store, ran with --no-adapters, or "
           "was scored on validation images");
  if (const std::string trouble = adapter_trouble(store, run); !trouble.empty())
    refuse(run, trouble);
  fs::path file = adapter_file(store, run.identity.hash);
  check_digest(run, file, base::sha256_of_file(file));
  return file;
}

bool carry_adapters(const fs::path& from, const fs::path& into, const RunRecord& run) {
  if (run.adapters_hash.empty() || adapter_trouble(into, run).empty()) return false;
  if (const std::string trouble = adapter_trouble(from, run); !trouble.empty())
    refuse(run, trouble);
  // Hashed as it is copied: what stands in the new place is what was looked at.
  const base::MappedFile source(adapter_file(from, run.identity.hash));
  base::AtomicFile copy(adapter_file(into, run.identity.hash), {.make_folders = true});
  base::Sha256 hash;
  constexpr std::size_t kPiece = std::size_t{4} << 20;
  for (std::size_t begin = 0; begin < source.bytes().size(); begin += kPiece) {
    const auto piece =
        source.bytes().subspan(begin, std::min(kPiece, source.bytes().size() - begin));
    hash.update(piece);
    copy.write(piece.data(), piece.size());
    source.drop(begin, piece.size());
  }
  check_digest(run, source.path(), hash.finish_hex());
  copy.commit();
  return true;
}

}  // namespace petlab::results
