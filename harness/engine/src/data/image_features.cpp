#include "petlab/engine/image_features.hpp"

#include "data/feature_file.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/engine/environment.hpp"
#include "petlab/engine/flop_counter.hpp"
#include "petlab/engine/precision.hpp"
#include "petlab/engine/train_images.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

namespace petlab::engine {
namespace {

/// Pictures in one forward of the tower, as in evaluation (evaluator.cpp). Part of what decides the
/// bits of a feature.
std::int64_t chunk_size(const clip::Backbone& backbone) {
  return backbone.device().is_cpu() ? 32 : 256;
}

constexpr std::int64_t kViews = 2;

/// Variables that choose other kernels for the same operation.
constexpr const char* kKernelVariables[] = {"ATEN_CPU_CAPABILITY", "DNNL_MAX_CPU_ISA", "MKL_CBWR",
                                            "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA"};

}  // namespace

struct ImageFeatures::View {
  at::Tensor rows;  ///< [pictures of all domains, embed_dim]
  std::vector<bool> is_ready;
  std::unique_ptr<FeatureFile> file;
};

ImageFeatures::ImageFeatures(const clip::Backbone& backbone, std::vector<at::Tensor> pictures,
                             Precision precision, FeatureStorePlace place)
    : backbone_(backbone),
      pictures_(std::move(pictures)),
      precision_(precision),
      place_(std::move(place)),
      chunk_size_(chunk_size(backbone)),
      views_(kViews) {
  std::int64_t row = 0;
  for (std::size_t domain = 0; domain < pictures_.size(); ++domain) {
    const std::int64_t n = pictures_[domain].size(0);
    first_chunk_.push_back(chunks_.size());
    first_row_.push_back(row);
    for (std::int64_t first = 0; first < n; first += chunk_size_)
      chunks_.push_back({domain, first, std::min(chunk_size_, n - first)});
    row += n;
  }
  first_row_.push_back(row);
}

ImageFeatures::~ImageFeatures() = default;

ImageFeatures::View& ImageFeatures::view(std::int64_t index) {
  std::unique_ptr<View>& view = views_.at(static_cast<std::size_t>(index));
  if (view == nullptr) {
    view = std::make_unique<View>();
    view->is_ready.resize(chunks_.size());
    // What the tower gives in this precision; one picture tells.
    const std::int64_t side = backbone_.shape().image_size;
    at::ScalarType type = at::kFloat;
    if (precision_ != Precision::fp32) {
      const FlopPause no_work;
      const AutocastScope autocast(backbone_.device(), precision_);
      type = backbone_
                 .encode_image(at::zeros({1, 3, side, side},
                                         at::TensorOptions(at::kFloat).device(backbone_.device())))
                 .scalar_type();
    }
    view->rows = at::empty({first_row_.back(), backbone_.shape().embed_dim}, type);
    if (!place_.folder.empty()) open_store(*view, index);
  }
  return *view;
}

void ImageFeatures::open_store(View& view, std::int64_t index) {
  std::string key = "petlab features 1\n" + place_.key;
  const auto add = [&key](const std::string& name, const std::string& value) {
    key += name + " " + value + "\n";
  };
  add("view", std::to_string(index));
  add("precision", to_string(precision_));
  add("type", at::toString(view.rows.scalar_type()));
  add("width", std::to_string(view.rows.size(1)));
  add("chunk", std::to_string(chunk_size_));
  for (const at::Tensor& pictures : pictures_)
    add("pictures", std::to_string(pictures.size(0)) + " " + std::to_string(pictures.size(3)));
  for (const auto& [name, value] : describe_environment(backbone_.device(), {}))
    add(name, value);
  for (const char* variable : kKernelVariables)
    if (const char* value = std::getenv(variable)) add(variable, value);

  FeatureFileShape shape;
  shape.key = base::sha256_hex(key);
  const auto row_bytes = static_cast<std::size_t>(view.rows.size(1) * view.rows.element_size());
  for (const Chunk& chunk : chunks_)
    shape.chunks.push_back(static_cast<std::size_t>(chunk.count) * row_bytes);
  std::error_code ignored;  // a failure shows when the file is opened
  std::filesystem::create_directories(place_.folder, ignored);
  view.file = FeatureFile::open(place_.folder / (shape.key + ".features"), shape, trouble_);
}

bool ImageFeatures::take(View& view, std::size_t chunk) {
  if (view.file == nullptr || !view.file->is_good(chunk)) return false;
  const auto& [domain, first, count] = chunks_[chunk];
  const at::Tensor into = view.rows.narrow(0, first_row_[domain] + first, count);
  std::memcpy(into.mutable_data_ptr(), view.file->chunk(chunk), into.nbytes());
  view.is_ready[chunk] = true;
  read_ += count;
  return true;
}

void ImageFeatures::compute(View& view, std::int64_t index, std::size_t chunk) {
  const auto& [domain, first, count] = chunks_[chunk];
  const at::Tensor pictures = pictures_[domain].narrow(0, first, count);
  const at::Tensor features =
      backbone_.encode_image(to_pixels(index == 1 ? pictures.flip({3}) : pictures, backbone_));
  const at::Tensor into = view.rows.narrow(0, first_row_[domain] + first, count);
  into.copy_(features);
  if (view.file != nullptr) view.file->write(chunk, into.const_data_ptr());
  view.is_ready[chunk] = true;
  computed_ += count;
}

void ImageFeatures::make_ready(std::int64_t index, const std::vector<std::size_t>& chunks,
                               const std::function<void(std::int64_t)>& tell) {
  // The rows are kept for training too, whoever asks first.
  const c10::InferenceMode ordinary(false);
  const c10::NoGradGuard no_grad;
  const FlopPause once_a_run;
  const AutocastScope autocast(backbone_.device(), precision_);
  View& view = this->view(index);
  std::vector<std::size_t> elsewhere;  // chunks that other processes are at
  for (const std::size_t chunk : chunks) {
    if (view.is_ready[chunk]) continue;
    if (!take(view, chunk)) {
      if (view.file != nullptr && !view.file->claim(chunk)) {
        elsewhere.push_back(chunk);
        continue;
      }
      // Another may have written it before this process had the right to.
      if (!take(view, chunk)) compute(view, index, chunk);
    }
    tell(chunks_[chunk].count);
  }
  // What is still not there is at most one chunk for each of them: waiting for a process that may
  // stand still is worse than computing it here too.
  for (const std::size_t chunk : elsewhere) {
    if (!take(view, chunk)) compute(view, index, chunk);
    tell(chunks_[chunk].count);
  }
}

at::Tensor ImageFeatures::of(std::size_t domain, std::int64_t view,
                             const std::vector<std::int64_t>& rows) {
  std::vector<std::size_t> chunks;
  for (const std::int64_t row : rows)
    chunks.push_back(first_chunk_.at(domain) + static_cast<std::size_t>(row / chunk_size_));
  std::sort(chunks.begin(), chunks.end());
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  make_ready(view, chunks, [](std::int64_t) {});
  const c10::NoGradGuard no_grad;
  return this->view(view)
      .rows.narrow(0, first_row_[domain], pictures_[domain].size(0))
      .index_select(0, at::tensor(rows, at::kLong))
      .to(backbone_.device());
}

void ImageFeatures::complete(Progress& progress) {
  std::vector<std::size_t> all(chunks_.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = i;
  progress.begin("features", first_row_.back());
  std::int64_t done = 0;
  make_ready(0, all, [&](std::int64_t count) { progress.update(done += count, ""); });
}

}  // namespace petlab::engine
