#include "petlab/engine/run_checkpoint.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/clip/safetensors.hpp"
#include "petlab/engine/stop_request.hpp"
#include "run/checkpoint_json.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

namespace petlab::engine {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A checkpoint may take at most this share of the time between two of them.
constexpr double kWriteShare = 0.05;
// Seconds of training before the first one.
constexpr double kFirstSeconds = 5.0;

// The tensors that are not training's own.
constexpr const char* kFacts = "petlab.facts";
constexpr const char* kDigest = "petlab.digest";

at::Tensor bytes_of(const std::string& text) {
  at::Tensor bytes = at::empty({static_cast<std::int64_t>(text.size())}, at::kByte);
  std::copy(text.begin(), text.end(), bytes.mutable_data_ptr<std::uint8_t>());
  return bytes;
}

std::string stored_text(const at::Tensor& bytes) {
  const auto* data = bytes.const_data_ptr<std::uint8_t>();
  return {data, data + bytes.numel()};
}

/// Over names, sizes and contents of the tensors, in whatever order they are. They are on the CPU
/// and contiguous.
std::string digest_of(std::vector<sdk::NamedTensor> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  base::Sha256 hash;
  for (const auto& [name, value] : tensors) {
    hash.update_text(name);
    for (const std::int64_t size : value.sizes())
      hash.update_text(std::to_string(size));
    hash.update({static_cast<const std::uint8_t*>(value.const_data_ptr()), value.nbytes()});
  }
  return hash.finish_hex();
}

/// What a process that was ended while it wrote left behind.
void remove_drafts(const fs::path& file) {
  std::error_code ignored;
  const std::string begin = file.filename().string() + ".part";
  std::vector<fs::path> drafts;
  for (const auto& entry : fs::directory_iterator(file.parent_path(), ignored))
    if (entry.path().filename().string().starts_with(begin)) drafts.push_back(entry.path());
  for (const fs::path& draft : drafts)
    fs::remove(draft, ignored);
}

at::Tensor take(std::vector<sdk::NamedTensor>& tensors, const char* name) {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [name](const auto& tensor) { return tensor.name == name; });
  if (found == tensors.end())
    throw base::Error(base::ErrorKind::data, std::string("it has no '") + name + "'");
  at::Tensor value = std::move(found->value);
  tensors.erase(found);
  return value;
}

}  // namespace

RunCheckpoint::RunCheckpoint(const CheckpointPlace& place, results::RunRecord& record,
                             Progress& progress)
    : place_(place), record_(record), progress_(progress) {
  if (place_.file.empty()) return;
  std::error_code failed;
  if (place_.is_written) remove_drafts(place_.file);
  if (!fs::exists(place_.file, failed)) return;
  try {
    read();
  } catch (const std::exception& error) {
    progress.note("checkpoint " + place_.file.string() + " cannot be used (" + error.what() +
                  "); the run starts anew");
    tensors_.clear();
    position_.reset();
    partition_.reset();
  }
}

void RunCheckpoint::read() {
  tensors_ = clip::read_safetensors(place_.file);
  const std::string digest = stored_text(take(tensors_, kDigest));
  if (digest != digest_of(tensors_))
    throw base::Error(base::ErrorKind::data, "its digest is not that of its content");
  const json facts = json::parse(stored_text(take(tensors_, kFacts)));
  if (facts.at("identity") != record_.identity.hash)
    throw base::Error(base::ErrorKind::data, "it is another run's");
  results::RunRecord known = record_;
  record_from_json(facts.at("record"), known);
  if (!facts.at("partition").is_null()) partition_ = facts.at("partition").get<sdk::Partition>();
  if (!facts.at("position").is_null()) {
    position_ = position_from_json(facts.at("position"));
    earlier_cost_ = cost_from_json(facts.at("cost"));
  }
  record_ = std::move(known);
  ++record_.resumed;
  progress_.note(position_ ? "resumes from epoch " + std::to_string(position_->epoch + 1) +
                                 ", step " + std::to_string(position_->step)
                           : std::string("goes on with the grouping that was found"));
}

void RunCheckpoint::save_grouping(const sdk::Partition& partition) {
  partition_ = partition;
  if (!place_.file.empty() && place_.is_written) try_to_write(nullptr, {});
}

bool RunCheckpoint::due() const {
  if (place_.file.empty() || !place_.is_written) return false;
  if (stop_request) return true;
  const std::chrono::duration<double> passed = Clock::now() - last_;
  const double every =
      position_ || is_saved_ ? place_.every_seconds : std::min(place_.every_seconds, kFirstSeconds);
  return place_.every_seconds <= 0.0 ||
         passed.count() >= std::max(every, write_seconds_ / kWriteShare);
}

void RunCheckpoint::save_training(const TrainingPosition& position,
                                  const std::vector<sdk::NamedTensor>& tensors) {
  const auto start = Clock::now();
  try_to_write(&position, tensors);
  is_saved_ = true;
  last_ = Clock::now();
  write_seconds_ = std::chrono::duration<double>(last_ - start).count();
  if (stop_request) throw RunStopped();
}

void RunCheckpoint::try_to_write(const TrainingPosition* position,
                                 const std::vector<sdk::NamedTensor>& tensors) {
  std::string trouble;
  try {
    write(position, tensors);
  } catch (const std::exception& error) {
    trouble = error.what();
  }
  if (trouble == trouble_) return;  // one note for one trouble, however long it lasts
  trouble_ = trouble;
  progress_.note(trouble.empty() ? std::string("checkpoints are written again")
                                 : "no checkpoint could be written (" + trouble +
                                       "); the run goes on, and an earlier checkpoint stays");
}

void RunCheckpoint::write(const TrainingPosition* position,
                          const std::vector<sdk::NamedTensor>& tensors) {
  json facts = {{"identity", record_.identity.hash},
                {"record", record_to_json(record_)},
                {"partition", partition_ ? json(*partition_) : json(nullptr)},
                {"position", position != nullptr ? position_to_json(*position) : json(nullptr)}};
  if (position != nullptr) facts["cost"] = cost_to_json(cost_());
  std::vector<sdk::NamedTensor> all;
  for (const auto& [name, value] : tensors)
    all.push_back({name, value.detach().to(at::kCPU).contiguous()});
  all.push_back({kFacts, bytes_of(facts.dump())});
  const std::string digest = digest_of(all);
  all.push_back({kDigest, bytes_of(digest)});
  std::error_code failed;  // shows when the file is written
  fs::create_directories(place_.file.parent_path(), failed);
  clip::write_safetensors(all, place_.file);
}

std::optional<TrainingPosition> position_in(const fs::path& file,
                                            const results::RunIdentity& identity) {
  results::RunRecord record;
  record.identity = identity;
  NoProgress progress;
  return RunCheckpoint({file, /*every_seconds=*/0.0, /*is_written=*/false}, record, progress)
      .position();
}

}  // namespace petlab::engine
