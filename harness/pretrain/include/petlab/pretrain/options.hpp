#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace petlab::pretrain {

/// What `petlab pretrain` may be told. Defaults are those of the embedded backbone.
struct PretrainOptions {
  std::filesystem::path package_dir;  ///< unpacked npm package with the icons
  std::filesystem::path recipe_dir;   ///< datasets/icon-home: manifest, class phrases, families
  std::filesystem::path out_dir;      ///< model, checkpoint and rendered pictures go here
  double minutes = 64;                ///< training time; the schedule follows the clock ...
  std::int64_t steps = 0;             ///< ... unless this is given: then it follows the steps
  bool resume = false;                ///< go on from the checkpoint in out_dir
  int threads = 0;                    ///< 0 = all cores
  std::string device = "cpu";         ///< "cpu" or "cuda"
  std::uint64_t seed = 0;

  // The model.
  std::int64_t image_size = 48;
  std::int64_t patch_size = 8;
  std::int64_t vision_width = 192;
  std::int64_t vision_layers = 6;
  std::int64_t vision_heads = 6;
  std::int64_t text_width = 128;
  std::int64_t text_layers = 4;
  std::int64_t text_heads = 4;
  std::int64_t embed_dim = 128;
  std::int64_t vocab_size = 4096;
  std::int64_t context_length = 40;

  // The training.
  std::int64_t batch_size = 128;
  double learning_rate = 7e-4;
  double weight_decay = 0.05;
  double warm_up = 0.03;         ///< share of the schedule
  double average_decay = 0.999;  ///< of the running average of the weights, which is exported
  double contrast_weight = 1.0;  ///< of the contrastive loss beside the classification
  int table_families = 4;        ///< subjects drawn by so many designers have a row in the table
  std::string held_out = "mingcute";  ///< designer family that is only used to measure
  double checkpoint_minutes = 3;
};

/// One report of progress.
struct Progress {
  enum class Phase { select, render, train, saved };
  Phase phase = Phase::select;
  std::int64_t done = 0;   ///< pictures rendered, or steps taken
  std::int64_t total = 0;  ///< of them; 0 when the clock decides
  double seconds = 0;      ///< of training so far, resumed runs included
  double seconds_left = 0;
  double loss = 0;            ///< running mean of the whole loss
  double table_accuracy = 0;  ///< running mean, share of training pictures whose row was found
  double learning_rate = 0;
  double images_per_second = 0;
  double held_out_accuracy = -1;  ///< zero-shot share among 65 subjects; negative = not measured
  std::string message = {};
};

using ProgressSink = std::function<void(const Progress&)>;

/// Trains a small CLIP and writes it to `out_dir` in the Hugging Face CLIP layout (half precision),
/// with training.safetensors to go on from. The same options, seed, steps and threads give the same
/// weights. Returns 0. Throws sdk::Error: config for impossible options, data for a missing package
/// or recipe, numeric for a loss that is not finite.
int run_pretrain(const PretrainOptions& options, const ProgressSink& progress);

}  // namespace petlab::pretrain
