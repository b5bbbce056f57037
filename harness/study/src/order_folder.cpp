#include "petlab/study/order_folder.hpp"

#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/results/store_address.hpp"
#include "planned_parts.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <random>
#include <sstream>
#include <system_error>
#include <utility>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigits = 64;  ///< of an identity
constexpr const char* kOrders = "orders.jsonl";
constexpr const char* kRuns = "runs";
constexpr const char* kTasks = "tasks";
constexpr const char* kShard = ".sqlite";
constexpr const char* kCollected = ".collected";
constexpr base::WriteOptions kWrite{.failure = base::ErrorKind::store};
constexpr base::WriteOptions kNote{.durability = base::Durability::process,
                                   .failure = base::ErrorKind::store};

[[noreturn]] void refuse(const fs::path& folder, const std::string& sentence) {
  throw base::Error(base::ErrorKind::store,
                    "order folder '" + base::printable(folder) + "': " + sentence);
}

std::vector<std::string> lines_of(const fs::path& folder, const char* name) {
  try {
    std::istringstream text(base::read_text_file(folder / name));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);)
      lines.push_back(line);
    return lines;
  } catch (const base::Error& error) {
    refuse(folder, std::string("it cannot be used: ") + error.what());
  }
}

bool is_identity(const std::string& text) {
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// The files of a folder by name.
std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failed;
  fs::directory_iterator entry(folder, failed), end;
  for (; !failed && entry != end; entry.increment(failed))
    files.push_back(entry->path());
  if (failed) refuse(folder, "it cannot be read: " + failed.message());
  std::sort(files.begin(), files.end());
  return files;
}

std::string run_of(const fs::path& file) {
  const std::string run = file.filename().string().substr(0, kDigits);
  return is_identity(run) ? run : "";
}

/// The paths that a worker opens, whatever its working directory.
Job placed(Job job) {
  const auto settle = [](fs::path& path) {
    if (!path.empty()) path = fs::absolute(path).lexically_normal();
  };
  settle(job.spec.backbone);
  settle(job.spec.cache_dir);
  settle(job.manifest.train);
  settle(job.manifest.test);
  for (fs::path& file : job.plugin_files)
    settle(file);
  return job;
}

/// Those that the jobs name, in a store of their own.
void write_base(const fs::path& file, const results::RunStore& store,
                const std::vector<Job>& jobs) {
  results::RunStore base(file);
  std::set<std::pair<std::string, std::string>> known;
  for (const Job& job : jobs) {
    const std::string& split = identity_part(job.identity, "dataset.split");
    const std::string& dataset = identity_part(job.identity, "dataset.fingerprint");
    if (known.emplace(split, dataset).second)
      base.register_split(store.split(split, dataset).value());
  }
}

/// The lines as a text in which each has its place: a worker reads its own alone.
std::string of_one_length(const std::vector<std::string>& lines) {
  std::size_t width = 0;
  for (const std::string& line : lines)
    width = std::max(width, line.size());
  std::string text;
  text.reserve((width + 1) * lines.size());
  for (const std::string& line : lines)
    text.append(line).append(width - line.size(), ' ').append("\n");
  return text;
}

fs::path make_folder(const fs::path& store) {
  const fs::path place = orders_place(store);
  std::error_code failed;
  fs::create_directories(place, failed);
  if (failed) refuse(place, "it cannot be made: " + failed.message());
  for (int number = 1;; ++number) {
    const fs::path folder = place / std::to_string(number);
    if (fs::create_directory(folder, failed)) return folder;
    if (failed) refuse(folder, "it cannot be made: " + failed.message());
  }
}

}  // namespace

OrderFolder::OrderFolder(fs::path folder) : folder_(std::move(folder)) {
  std::error_code failed;
  folder_ = fs::absolute(folder_, failed).lexically_normal();
  runs_ = lines_of(folder_, kRuns);
  for (const std::string& run : runs_)
    if (!is_identity(run)) refuse(folder_, "its file 'runs' holds a line that is no identity");
}

std::vector<std::vector<std::size_t>> OrderFolder::tasks() const {
  std::vector<std::vector<std::size_t>> tasks;
  for (const std::string& line : lines_of(folder_, kTasks)) {
    std::istringstream words(line);
    std::vector<std::size_t>& task = tasks.emplace_back();
    for (std::string word; words >> word;) {
      const auto number = base::parse_number<std::size_t>(word);
      if (!number || *number >= runs_.size())
        refuse(folder_,
               "its file 'tasks' names '" + base::message_line(word, 40) + "', which is no order");
      task.push_back(*number);
    }
  }
  return tasks;
}

WorkerRequest OrderFolder::order(std::size_t number) const {
  if (number >= runs_.size())
    base::throw_config_error("order folder '" + base::printable(folder_) + "' has no order " +
                             std::to_string(number) + ", its orders are 0 to " +
                             std::to_string(static_cast<std::int64_t>(runs_.size()) - 1));
  std::error_code failed;
  const std::uintmax_t bytes = fs::file_size(folder_ / kOrders, failed);
  std::ifstream file(folder_ / kOrders);
  if (!failed) file.seekg(static_cast<std::streamoff>(bytes / runs_.size() * number));
  std::string line;
  if (failed || bytes % runs_.size() != 0 || !std::getline(file, line))
    refuse(folder_, "its file 'orders.jsonl' is unreadable, or holds no lines of one length");
  WorkerRequest order;
  try {
    order = parse_worker_request(line);
  } catch (const base::Error& error) {
    refuse(folder_, "order " + std::to_string(number) +
                        " cannot be read; another petlab may have written it: " + error.what());
  }
  if (order.job.identity.hash != runs_[number] || !order.detached)
    refuse(folder_,
           "order " + std::to_string(number) + " is not the one that its file 'runs' names");
  return order;
}

std::set<std::string> OrderFolder::results() const {
  std::set<std::string> results;
  for (const fs::path& shard : shards())
    results.insert(run_of(shard));
  results.merge(collected());
  return results;
}

std::set<std::string> OrderFolder::collected() const {
  std::set<std::string> runs;
  for (const fs::path& file : files_in(state()))
    if (file.extension() == kCollected) runs.insert(run_of(file));
  return runs;
}

bool OrderFolder::has_result(const std::string& run) const {
  std::error_code ignored;
  if (fs::exists(state() / (run + kCollected), ignored)) return true;
  const std::vector<fs::path> found = shards();
  return std::any_of(found.begin(), found.end(),
                     [&](const fs::path& shard) { return run_of(shard) == run; });
}

std::vector<fs::path> OrderFolder::shards() const {
  std::vector<fs::path> shards = files_in(spool());
  std::erase_if(shards, [](const fs::path& file) {
    return run_of(file).empty() || file.extension() != kShard;
  });
  return shards;
}

fs::path OrderFolder::new_shard(const std::string& run) const {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::string name;
  for (const char c : std::string(host.data()))
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-') name += c;
  std::ostringstream salt;
  salt << std::hex << std::random_device{}();
  return spool() /
         (run + "." + name + "-" + std::to_string(::getpid()) + "-" + salt.str() + kShard);
}

void OrderFolder::mark_collected(const std::string& run) const {
  base::write_file(state() / (run + kCollected), "", kWrite);
}

std::size_t OrderFolder::add_failure(const std::string& run, const std::string& reason) const {
  const fs::path file = state() / (run + ".failures");
  std::ofstream(file, std::ios::app)
      << results::utc_now() << " " << base::message_line(reason) << "\n";
  std::ifstream in(file);
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line);)
    ++lines;
  if (lines == 0) refuse(folder_, "its folder 'state' cannot be written");
  return lines;
}

void OrderFolder::set_progress(const std::string& run, const OrderProgress& progress) const {
  try {
    base::write_file(state() / (run + ".progress"),
                     progress.since + " " + progress.phase + " " + std::to_string(progress.done) +
                         " " + std::to_string(progress.total) + " " + progress.host + "\n",
                     kNote);
  } catch (const base::Error&) {
    // The result says more.
  }
}

std::optional<OrderProgress> OrderFolder::progress(const std::string& run) const {
  std::ifstream in(state() / (run + ".progress"));
  OrderProgress progress;
  if (!(in >> progress.since >> progress.phase >> progress.done >> progress.total)) return {};
  std::getline(in >> std::ws, progress.host);
  for (std::string* text : {&progress.since, &progress.phase, &progress.host})
    *text = base::message_line(*text, 100);
  return progress;
}

fs::path orders_place(const fs::path& store) {
  fs::path place = results::beside_store(store);
  place += ".jobs";
  return place;
}

std::vector<OrderFolder> order_folders(const fs::path& store) {
  std::vector<std::pair<int, fs::path>> found;
  std::error_code none;
  for (fs::directory_iterator entry(orders_place(store), none), end; !none && entry != end;
       entry.increment(none))
    if (const auto number = base::parse_number<int>(entry->path().filename().string()))
      if (fs::exists(entry->path() / kRuns)) found.emplace_back(*number, entry->path());
  std::sort(found.begin(), found.end());
  std::vector<OrderFolder> folders;
  for (const auto& [number, path] : found)
    folders.emplace_back(path);
  return folders;
}

OrderFolder write_orders(const results::RunStore& store, const std::vector<Job>& jobs,
                         const std::vector<std::vector<std::size_t>>& tasks) {
  const fs::path file =
      results::beside_store(results::absolute_address(store.path())).lexically_normal();
  const fs::path folder = make_folder(file);
  const fs::path checkpoints = checkpoint_file(file, {"x", {}}).parent_path();
  try {
    for (const char* part : {"spool", "state", "logs"})
      fs::create_directory(folder / part);
    write_base(folder / "base.sqlite", store, jobs);
    std::vector<std::string> orders;
    std::string runs, lines;
    for (const Job& job : jobs) {
      WorkerRequest order;
      order.job = placed(job);
      order.detached = DetachedRun{checkpoints, ""};
      orders.push_back(to_json(order));
      runs += job.identity.hash + "\n";
    }
    for (const std::vector<std::size_t>& task : tasks) {
      for (std::size_t i = 0; i < task.size(); ++i)
        lines += (i == 0 ? "" : " ") + std::to_string(task[i]);
      lines += "\n";
    }
    base::write_file(folder / kOrders, of_one_length(orders), kWrite);
    base::write_file(folder / kTasks, lines, kWrite);
    base::write_file(folder / kRuns, runs, kWrite);  // the last: with it the folder is there
    return OrderFolder(folder);
  } catch (const fs::filesystem_error& error) {
    refuse(folder, "it cannot be written: " + error.code().message());
  }
}

}  // namespace petlab::study
