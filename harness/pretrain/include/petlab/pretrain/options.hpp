#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace petlab::pretrain {

enum class Contrast : std::uint8_t { softmax, sigmoid };
/// What the image tower sees in the first part of the training: whole pictures, smaller ones, or
/// some of their patches.
enum class EarlyView : std::uint8_t { whole, smaller, patches };

/// What `petlab pretrain` may be told. Defaults are those of the embedded backbone.
struct PretrainOptions {
  std::filesystem::path package_dir;    ///< unpacked npm package with the icons
  std::filesystem::path emojibase_dir;  ///< unpacked npm package emojibase-data
  std::filesystem::path emojilib_dir;   ///< unpacked npm package emojilib
  std::filesystem::path recipe_dir;     ///< datasets/icon-home: manifest, class phrases, families
  std::filesystem::path out_dir;        ///< model, checkpoint, log and rendered pictures go here
  /// Rendered pictures are kept here, so that several trainings share them; empty = out_dir.
  std::filesystem::path pictures_dir = {};
  double minutes = 100;        ///< training time; the schedule follows the clock ...
  std::int64_t steps = 0;      ///< ... unless this is given: then it follows the steps
  bool resume = false;         ///< go on from the checkpoint in out_dir
  int threads = 0;             ///< 0 = all cores
  std::string device = "cpu";  ///< "cpu" or "cuda"
  std::uint64_t seed = 0;

  // The model.
  std::int64_t image_size = 48;
  std::int64_t patch_size = 8;
  std::int64_t vision_width = 192;
  std::int64_t vision_layers = 6;
  std::int64_t vision_heads = 6;
  std::int64_t text_width = 192;
  std::int64_t text_layers = 6;
  std::int64_t text_heads = 6;
  std::int64_t embed_dim = 128;
  std::int64_t vocab_size = 4096;
  std::int64_t context_length = 40;

  // The training.
  std::int64_t batch_size = 128;
  double learning_rate = 7e-4;
  double layer_decay = 1.0;  ///< each layer learns so much faster than the one below it does
  double weight_decay = 0.05;
  double warm_up = 0.03;         ///< share of the schedule
  double average_decay = 0.999;  ///< of the running average of the weights, which is exported
  Contrast contrast = Contrast::softmax;
  double contrast_weight = 1.0;  ///< of the contrastive loss beside the classification
  std::int64_t queue = 0;        ///< earlier pairs that serve as further negatives
  double fact_weight = 0.5;      ///< of telling style and colours, from pictures and captions
  double pair_share = 0.3;       ///< pictures that bring another one of their subject along
  int bare_captions = 15;        ///< percent of the captions that are a name alone
  int plain_captions = 10;       ///< percent that are a sentence true of every picture
  int noise_captions = 40;       ///< percent that have words around them which say nothing
  int table_families = 4;        ///< subjects drawn by so many designers have a row in the table
  EarlyView early_view = EarlyView::whole;
  std::int64_t early_grid = 4;  ///< patches a side that are seen in the early part
  double early_share = 0.6;     ///< part of the schedule that is early
  /// Weight of a convolution teacher's soft targets at the table, the subjects' own having the
  /// rest; 0 = there is no teacher.
  double distillation = 0;
  double teacher_share = 0.25;  ///< part of the schedule in which the teacher is trained, first
  /// Designer families that are only used to measure, separated by commas.
  std::string held_out = "mingcute,marketeq,fxemoji";
  double checkpoint_minutes = 5;
};

/// Sets one option of model or training by its name on the command line ("batch-size"). Throws
/// base::Error(config) that names the option, and what was expected.
void set_option(PretrainOptions& options, const std::string& name, const std::string& value);

/// All of these names with their values, in a fixed order. A checkpoint may only be taken up with
/// the values it was made with.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> option_values(
    const PretrainOptions& options);

/// Accuracy on one held-out designer's pictures, among the subjects of all of them.
struct HeldOutScore {
  std::string family;
  double bare = 0;     ///< captions are names alone
  double matched = 0;  ///< captions say the style that the picture has
  double wrong = 0;    ///< captions say a style that it has not
  double style = 0;    ///< the right one of five styles is told, given the right subject
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
  bool is_teacher = false;        ///< loss and table accuracy are the teacher's
  double held_out_accuracy = -1;  ///< mean of `bare` over designers; negative = not measured
  bool is_best = false;           ///< the held-out accuracy is the best so far: model/ was replaced
  std::vector<HeldOutScore> held_out = {};
  std::string message = {};
};

using ProgressSink = std::function<void(const Progress&)>;

/// Trains a small CLIP and writes it to `out_dir`/model in the Hugging Face CLIP layout (half
/// precision): the running average of the weights at that checkpoint at which the held-out accuracy
/// was best. training.safetensors serves to go on from, log.csv says how it went. The same options,
/// seed, steps and threads give the same weights. Returns 0. Throws base::Error: config for
/// impossible options, data for a missing package or recipe, numeric for a loss that is not finite.
int run_pretrain(const PretrainOptions& options, const ProgressSink& progress);

}  // namespace petlab::pretrain
