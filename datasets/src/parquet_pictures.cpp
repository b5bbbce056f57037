#include "parquet_pictures.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/stored_picture.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <deque>
#include <fstream>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;

/// The library beside the program, in the build as where it is installed.
fs::path library_file() {
  return fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib" / "petlab" /
         "readers" / "parquet_reader.so";
}

OpenParquet load_library() {
  const fs::path file = library_file();
  std::error_code ignored;
  if (!fs::exists(file, ignored))
    base::throw_config_error(
        "this petlab was built without Parquet: install pyarrow beside LibTorch "
        "(.venv/bin/pip install pyarrow) and build petlab again");
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    base::throw_config_error(
        "the reader of Parquet files cannot be loaded: " + base::message_line(::dlerror()) +
        "; install the pyarrow it was built with, or build petlab again");
  void* function = ::dlsym(library, kOpenParquet);
  if (function == nullptr)
    base::throw_config_error(base::printable(file) + " is of another petlab: build petlab again");
  return reinterpret_cast<OpenParquet>(function);
}

/// Says what is wrong with a file in words that the library has not.
void check_ends(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string start(64, '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  if (base::is_lfs_pointer(start))
    base::throw_data_error(base::printable(file) + base::kLfsPointer);
  if (!start.starts_with("PAR1"))
    base::throw_data_error(base::printable(file) + " is no Parquet file" +
                           (start.empty() ? ": it is empty or cannot be read" : ""));
  in.clear();
  std::array<char, 4> end{};
  in.seekg(-4, std::ios::end);
  in.read(end.data(), end.size());
  if (std::string(end.begin(), end.end()) != "PAR1")
    base::throw_data_error(base::printable(file) +
                           " is cut short: it does not end as a Parquet file; fetch it again");
}

/// The row groups that were read last: one that threads are leaving, and one that they enter.
class RowGroups {
 public:
  using Rows = std::vector<std::optional<std::string>>;

  /// The group that a row is in, and which of its rows it is.
  std::pair<std::shared_ptr<const Rows>, std::size_t> group_of(const Sample& sample) {
    const std::lock_guard guard(mutex_);
    open(sample.file);
    const std::uint64_t row = sample.place.at;
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), row);
    if (after == starts_.begin() || after == starts_.end())
      base::throw_data_error(picture_name(sample) + " is not there any more");
    const auto group = static_cast<std::size_t>(after - starts_.begin()) - 1;
    return {rows_of(sample, group), static_cast<std::size_t>(row - starts_[group])};
  }

 private:
  struct Read {
    std::size_t group = 0;
    std::string column;
    std::shared_ptr<const Rows> rows;
  };

  /// Opens `file` where it is another, or not the same any more.
  void open(const fs::path& file) {
    std::error_code error;
    const auto stamp = std::pair(fs::last_write_time(file, error), fs::file_size(file, error));
    if (reader_ && file == file_ && stamp == stamp_ && !error) return;
    reader_.reset();
    reads_.clear();
    starts_ = {0};
    std::unique_ptr<ParquetReader> reader = open_parquet(file);
    with_parquet(file, [&] {
      for (const std::uint64_t rows : reader->group_rows())
        starts_.push_back(starts_.back() + rows);
    });
    reader_ = std::move(reader);
    file_ = file;
    stamp_ = stamp;
  }

  std::shared_ptr<const Rows> rows_of(const Sample& sample, std::size_t group) {
    for (const Read& read : reads_)
      if (read.group == group && read.column == sample.place.column) return read.rows;
    auto rows = std::make_shared<Rows>();
    with_parquet(sample.file, [&] {
      const auto columns = reader_->columns();
      const auto column =
          std::find_if(columns.begin(), columns.end(), [&](const ParquetColumn& one) {
            return one.path == sample.place.column && one.type == ParquetColumn::Type::bytes;
          });
      if (column == columns.end())
        throw std::runtime_error("it has no column '" + sample.place.column + "' any more");
      *rows = reader_->bytes(group, static_cast<std::size_t>(column - columns.begin()));
    });
    constexpr std::size_t kKept = 2;
    if (reads_.size() == kKept) reads_.pop_front();
    reads_.push_back({group, sample.place.column, rows});
    return rows;
  }

  std::mutex mutex_;
  fs::path file_;
  std::pair<fs::file_time_type, std::uintmax_t> stamp_;
  std::unique_ptr<ParquetReader> reader_;
  std::vector<std::uint64_t> starts_;
  std::deque<Read> reads_;
};

}  // namespace

std::unique_ptr<ParquetReader> open_parquet(const fs::path& file) {
  check_ends(file);
  static const OpenParquet open = load_library();
  std::unique_ptr<ParquetReader> reader;
  with_parquet(file, [&] { reader.reset(open(file.c_str())); });
  return reader;
}

void with_parquet(const fs::path& file, const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error&) {
    throw;
  } catch (const std::runtime_error& error) {
    base::throw_data_error(base::printable(file) +
                           " is no whole Parquet file: " + base::message_line(error.what(), 300));
  }
}

std::vector<std::uint8_t> read_parquet_picture(const Sample& sample) {
  // Never destroyed: Arrow may be gone when this process ends.
  static RowGroups& groups = *new RowGroups;
  const auto [rows, at] = groups.group_of(sample);
  if (at >= rows->size())
    base::throw_data_error(picture_name(sample) + " has no value in column '" +
                           base::escaped(sample.place.column) + "'");
  const std::optional<std::string>& bytes = (*rows)[at];
  if (!bytes)
    base::throw_data_error(picture_name(sample) + " has no bytes of its image" +
                           (fs::path(sample.place.name).has_extension()
                                ? ", only its name '" + base::escaped(sample.place.name) + "'"
                                : std::string()) +
                           ": expected images within the file, as push_to_hub stores them");
  return {bytes->begin(), bytes->end()};
}

}  // namespace petlab::datasets
