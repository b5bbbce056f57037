#include "clip_features.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/image.hpp"
#include "petlab/datasets/resize.hpp"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace petlab::app {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kBatch = 32;
constexpr std::size_t kShownBytes = 200;  // of a name in a message

/// A count on stderr: overwritten in place on a terminal, now and then a line elsewhere. Says
/// nothing of a few pictures.
class Counter {
 public:
  Counter(std::size_t total) : total_(total) {}
  ~Counter() {
    if (is_terminal_ && shown_ > 0) std::fputs("\n", stderr);
  }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void update(std::size_t done) {
    constexpr std::size_t kLineEvery = 1000;
    if (total_ <= kBatch) return;
    if (is_terminal_) {
      std::fprintf(stderr, "\rimages %zu/%zu", done, total_);
    } else if (done / kLineEvery > shown_ / kLineEvery || done == total_) {
      std::fprintf(stderr, "images %zu/%zu\n", done, total_);
    } else {
      return;
    }
    shown_ = done;
  }

 private:
  std::size_t total_;
  std::size_t shown_ = 0;
  bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
};

void check_file(const std::string& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  const auto fail = [&](const std::string& what) {
    throw base::Error(base::ErrorKind::data, "the image '" + file + "' " + what);
  };
  if (!fs::exists(status)) fail("does not exist");
  if (fs::is_directory(status)) fail("is a folder, expected a file");
}

/// [3, S, S] uint8.
at::Tensor read_picture(const std::string& file, const clip::Preprocessing& how) {
  const std::int64_t side = how.image_size;
  const datasets::Image image =
      datasets::fit_square(datasets::decode_image(fs::path(file)), static_cast<int>(side), how.fit);
  const at::Tensor pixels = at::empty({side, side, 3}, at::kByte);
  std::memcpy(pixels.mutable_data_ptr(), image.rgb.data(), image.rgb.size());
  return pixels.permute({2, 0, 1});
}

/// `kind` and `names` say which input it was that has no direction.
ClipFeatures normalised(const at::Tensor& features, const char* kind,
                        const std::vector<std::string>& names) {
  const at::Tensor rows = features.to(at::kCPU, at::kFloat);
  const at::Tensor norms = rows.norm(2, /*dim=*/-1, /*keepdim=*/true);
  const at::Tensor lengths = norms.squeeze(-1).contiguous();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (const auto length = lengths[static_cast<std::int64_t>(i)].item<float>();
        !std::isfinite(length) || length == 0.0F)
      throw base::Error(base::ErrorKind::numeric,
                        std::string("the feature of the ") + kind + " '" +
                            base::message_line(names[i], kShownBytes) + "' is " +
                            (length == 0.0F ? "zero" : "not finite") +
                            ": expected a backbone whose features have a direction");
  return {(rows / norms).contiguous(), lengths};
}

}  // namespace

void require_finite_scores(const at::Tensor& scores, const std::string& file) {
  if (!at::isfinite(scores).all().item<bool>())
    throw base::Error(base::ErrorKind::numeric, "the class scores of the image '" +
                                                    base::message_line(file, kShownBytes) +
                                                    "' are not finite");
}

void visit_pictures(const clip::Backbone& backbone, const std::vector<std::string>& files,
                    const std::function<void(std::size_t, const at::Tensor&)>& visit) {
  for (const std::string& file : files)
    check_file(file);
  Counter counter(files.size());
  for (std::size_t first = 0; first < files.size(); first += kBatch) {
    std::vector<at::Tensor> pictures;
    for (std::size_t i = first; i < std::min(first + kBatch, files.size()); ++i)
      pictures.push_back(read_picture(files[i], backbone.preprocessing()));
    const at::Tensor pixels = clip::normalise_pixels(at::stack(pictures), backbone.preprocessing());
    visit(first, pixels.to(backbone.device()));
    counter.update(first + pictures.size());
  }
}

ClipFeatures image_features(const clip::Backbone& backbone, const std::vector<std::string>& files) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> features = {at::empty({0, backbone.shape().embed_dim})};
  visit_pictures(backbone, files, [&](std::size_t /*first*/, const at::Tensor& pixels) {
    features.push_back(backbone.encode_image(pixels).to(at::kCPU));
  });
  return normalised(at::cat(features), "image", files);
}

ClipFeatures text_features(const clip::Backbone& backbone, const std::vector<std::string>& texts) {
  const c10::NoGradGuard no_grad;
  const std::int64_t context = backbone.shape().context_length;
  std::vector<at::Tensor> features = {at::empty({0, backbone.shape().embed_dim})};
  for (std::size_t first = 0; first < texts.size(); first += kBatch) {
    const std::size_t count = std::min(kBatch, texts.size() - first);
    const auto part = std::span(texts).subspan(first, count);
    std::int64_t cut = 0;
    clip::TokenBatch tokens = backbone.tokenizer().encode_batch(part, context, &cut);
    for (std::size_t i = 0; cut > 0 && i < count; ++i) {
      // The start and the end token count, too.
      const std::int64_t length =
          static_cast<std::int64_t>(backbone.tokenizer().encode(part[i]).size()) +
          backbone.tokenizer().n_marks();
      if (length <= context) continue;
      std::cerr << "petlab: the text '" << part[i] << "' has " << length
                << " tokens, of which the backbone reads " << context
                << ": the rest was cut off, the end token kept\n";
    }
    tokens.ids = tokens.ids.to(backbone.device());
    tokens.eot = tokens.eot.to(backbone.device());
    features.push_back(backbone.encode_text(tokens).to(at::kCPU));
  }
  return normalised(at::cat(features), "text", texts);
}

}  // namespace petlab::app
