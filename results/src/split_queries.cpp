#include "queries.hpp"
#include "statements.hpp"
#include "store.hpp"

namespace petlab::results {
namespace {

std::int64_t dataset_id(const sql::Database& db, const DatasetRecord& dataset) {
  execute(db,
          "INSERT INTO datasets (name, version, hash) VALUES (?, ?, ?) "
          "ON CONFLICT (hash) DO NOTHING",
          dataset.name, dataset.version, dataset.hash);
  return find_id(db, "SELECT dataset_id FROM datasets WHERE hash = ?", dataset.hash).value();
}

// Tasks, classes and images belong to the data set: splits with other seeds share them. A class or
// image that is there under another label is left alone; the comparison in register_split() that
// follows then finds the difference.
std::int64_t task_id(const sql::Database& db, std::int64_t dataset, const TaskSplit& task) {
  execute(db,
          "INSERT INTO tasks (dataset_id, name) VALUES (?, ?) "
          "ON CONFLICT (dataset_id, name) DO NOTHING",
          dataset, task.task);
  const std::int64_t id =
      find_id(db, "SELECT task_id FROM tasks WHERE dataset_id = ? AND name = ?", dataset, task.task)
          .value();
  sql::Statement insert(db,
                        "INSERT INTO classes (task_id, label, name) VALUES (?, ?, ?) "
                        "ON CONFLICT (task_id, label) DO NOTHING");
  for (std::size_t label = 0; label < task.classes.size(); ++label) {
    execute(insert, id, static_cast<std::int64_t>(label), task.classes[label]);
  }
  return id;
}

void write_images(const sql::Database& db, std::int64_t split, std::int64_t task,
                  const std::vector<TestImage>& images) {
  sql::Statement insert_image(db,
                              "INSERT INTO images (task_id, sample_id, label) VALUES (?, ?, ?) "
                              "ON CONFLICT (task_id, sample_id) DO NOTHING");
  sql::Statement insert_place(
      db,
      "INSERT INTO split_images (split_id, task_id, position, image_id) VALUES (?1, ?2, ?3, "
      "(SELECT image_id FROM images WHERE task_id = ?2 AND sample_id = ?4))");
  for (std::size_t i = 0; i < images.size(); ++i) {
    execute(insert_image, task, images[i].sample_id, images[i].label);
    execute(insert_place, split, task, static_cast<std::int64_t>(i), images[i].sample_id);
  }
}

void read_task_content(const sql::Database& db, std::int64_t split, std::int64_t id,
                       TaskSplit& task) {
  sql::Statement classes =
      query(db, "SELECT name FROM classes WHERE task_id = ? ORDER BY label", id);
  while (classes.step())
    task.classes.push_back(classes.column(0).text());
  sql::Statement images = query(db,
                                "SELECT i.sample_id, i.label FROM split_images s "
                                "JOIN images i USING (image_id) "
                                "WHERE s.split_id = ? AND s.task_id = ? ORDER BY s.position",
                                split, id);
  while (images.step()) {
    task.test.push_back({images.column(0).text(), images.column(1).integer()});
  }
}

void write_split(const sql::Database& db, const SplitRecord& split) {
  const std::int64_t dataset = dataset_id(db, split.dataset);
  sql::Statement head =
      query(db,
            "INSERT INTO splits (dataset_id, hash, name, fraction, seed) VALUES (?, ?, ?, ?, ?) "
            "RETURNING split_id",
            dataset, split.hash, split.name, split.fraction, split.seed);
  const std::int64_t id = inserted_id(head);
  sql::Statement insert(
      db, "INSERT INTO split_tasks (split_id, position, task_id, n_train) VALUES (?, ?, ?, ?)");
  for (std::size_t i = 0; i < split.tasks.size(); ++i) {
    const TaskSplit& task = split.tasks[i];
    const std::int64_t task_row = task_id(db, dataset, task);
    execute(insert, id, static_cast<std::int64_t>(i), task_row, task.n_train);
    write_images(db, id, task_row, task.test);
  }
}

bool same_content(const SplitRecord& a, const SplitRecord& b) {
  return a.dataset.hash == b.dataset.hash && a.seed == b.seed && a.tasks == b.tasks;
}

}  // namespace

std::optional<std::int64_t> find_split(const sql::Database& db, const std::string& hash,
                                       const std::string& dataset) {
  return find_id(db,
                 "SELECT s.split_id FROM splits s JOIN datasets d USING (dataset_id) "
                 "WHERE s.hash = ?1 AND (?2 = '' OR d.hash = ?2) ORDER BY s.split_id LIMIT 1",
                 hash, dataset);
}

bool add_split(const sql::Database& db, const std::filesystem::path& path,
               const SplitRecord& split) {
  const bool added = !find_split(db, split.hash, split.dataset.hash);
  if (added) write_split(db, split);
  if (!same_content(read_split(db, split.hash, split.dataset.hash).value(), split)) {
    throw store_error(path, "split " + quoted_hash(split.hash) +
                                " is there already with other tasks or images, or its data set "
                                "with other labels: a hash is wrong");
  }
  return added;
}

std::vector<std::pair<std::string, std::string>> read_split_keys(const sql::Database& db) {
  std::vector<std::pair<std::string, std::string>> keys;
  sql::Statement row(db,
                     "SELECT s.hash, d.hash FROM splits s JOIN datasets d USING (dataset_id) "
                     "ORDER BY s.split_id");
  while (row.step())
    keys.emplace_back(row.column(0).text(), row.column(1).text());
  return keys;
}

std::optional<SplitRecord> read_split(const sql::Database& db, const std::string& hash,
                                      const std::string& dataset) {
  sql::Statement row =
      query(db,
            "SELECT s.split_id, s.name, s.fraction, s.seed, d.name, d.version, d.hash "
            "FROM splits s JOIN datasets d USING (dataset_id) "
            "WHERE s.hash = ?1 AND (?2 = '' OR d.hash = ?2) ORDER BY s.split_id LIMIT 1",
            hash, dataset);
  if (!row.step()) return std::nullopt;
  SplitRecord split;
  const std::int64_t id = row.column(0).integer();
  split.hash = hash;
  split.name = row.column(1).text();
  split.fraction = row.column(2).real();
  split.seed = static_cast<std::uint64_t>(row.column(3).integer());
  split.dataset = {row.column(4).text(), row.column(5).text(), row.column(6).text()};
  sql::Statement tasks = query(db,
                               "SELECT t.task_id, t.name, s.n_train FROM split_tasks s "
                               "JOIN tasks t USING (task_id) WHERE s.split_id = ? "
                               "ORDER BY s.position",
                               id);
  while (tasks.step()) {
    TaskSplit task;
    task.task = tasks.column(1).text();
    task.n_train = tasks.column(2).integer();
    read_task_content(db, id, tasks.column(0).integer(), task);
    split.tasks.push_back(std::move(task));
  }
  return split;
}

}  // namespace petlab::results
