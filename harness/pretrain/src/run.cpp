#include "checkpoint.hpp"
#include "petlab/pretrain/options.hpp"
#include "petlab/sdk/error.hpp"
#include "pictures.hpp"
#include "trainer.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

namespace petlab::pretrain {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kReportSeconds = 10;
constexpr double kRunningMean = 0.97;
constexpr double kMinute = 60;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void check(const PretrainOptions& options) {
  const auto refuse = [](const std::string& what) {
    throw sdk::Error(sdk::ErrorKind::config, what);
  };
  if (options.steps <= 0 && options.minutes <= 0)
    refuse("pretraining needs --minutes or --steps above 0");
  if (options.batch_size < 2) refuse("--batch must be at least 2, the loss compares pictures");
  if (options.device != "cpu" && options.device != "cuda")
    refuse("--device is '" + options.device + "', expected cpu or cuda");
  if (options.device == "cuda" && !at::hasCUDA())
    throw sdk::Error(sdk::ErrorKind::device,
                     "--device cuda was asked for, but this LibTorch sees no GPU");
}

/// Trains the vocabulary on the subjects of the pool.
void make_tokenizer(const PretrainOptions& options, const std::vector<PoolIcon>& pool) {
  std::map<std::string, std::int64_t> counts;
  for (const PoolIcon& icon : pool)
    ++counts[icon.subject];
  const std::vector<std::pair<std::string, std::int64_t>> corpus =
      caption_corpus({counts.begin(), counts.end()});
  clip::train_tokenizer(corpus, options.vocab_size, options.context_length, options.out_dir);
}

std::vector<Style> measure_styles(const std::vector<PoolIcon>& pool, const at::Tensor& pictures) {
  const auto size = static_cast<int>(pictures.size(1));
  const auto* const data = pictures.const_data_ptr<std::uint8_t>();
  std::vector<Style> styles;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    const Style seen = style_of(data + i * static_cast<std::size_t>(size * size * 3), size);
    styles.push_back(pool[i].is_emoji && seen == Style::colour ? Style::emoji : seen);
  }
  return styles;
}

/// How far the training is, in [0, 1], and when it ends.
struct Schedule {
  const PretrainOptions& options;

  [[nodiscard]] double progress(std::int64_t steps, double seconds) const {
    const double share = options.steps > 0
                             ? static_cast<double>(steps) / static_cast<double>(options.steps)
                             : seconds / (options.minutes * kMinute);
    return std::min(share, 1.0);
  }
  [[nodiscard]] double seconds_left(std::int64_t steps, double seconds) const {
    const double done = progress(steps, seconds);
    return done > 0 ? seconds * (1 - done) / done : 0;
  }
};

}  // namespace

int run_pretrain(const PretrainOptions& options, const ProgressSink& sink) {
  check(options);
  const int threads = options.threads > 0
                          ? options.threads
                          : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  at::set_num_threads(threads);
  const c10::Device device(options.device == "cuda" ? c10::kCUDA : c10::kCPU);
  std::filesystem::create_directories(options.out_dir);

  const PoolRule rule(options.recipe_dir);
  const std::vector<PoolIcon> pool = select_pool(options.package_dir, rule);
  const Curriculum curriculum = make_curriculum(pool, options.table_families, options.held_out);
  sink({.phase = Progress::Phase::select,
        .done = static_cast<std::int64_t>(pool.size()),
        .message = std::to_string(pool.size()) + " pictures, " +
                   std::to_string(curriculum.subjects.size()) + " subjects, " +
                   std::to_string(curriculum.n_rows) + " in the table, " +
                   std::to_string(curriculum.held_out.size()) + " held out"});

  std::int64_t refused = 0;
  const at::Tensor pictures =
      load_pictures(options.package_dir, pool, static_cast<int>(options.image_size),
                    options.out_dir / "pool_pictures.u8", threads, &refused,
                    [&](std::size_t done, std::size_t total) {
                      sink({.phase = Progress::Phase::render,
                            .done = static_cast<std::int64_t>(done),
                            .total = static_cast<std::int64_t>(total)});
                    });

  // The model directory is apart from the working files: it is what people copy.
  const std::filesystem::path model_dir = options.out_dir / "model";
  PretrainOptions in_model_dir = options;
  in_model_dir.out_dir = options.out_dir / "tokenizer";
  std::filesystem::create_directories(in_model_dir.out_dir);
  make_tokenizer(in_model_dir, pool);
  at::Generator generator = at::detail::createCPUGenerator(options.seed);
  const Model model(options, in_model_dir.out_dir, curriculum.n_rows, device, generator);
  Trainer trainer(options, model, curriculum, pictures, measure_styles(pool, pictures), device);
  Optimizer& optimizer = trainer.optimizer();

  const std::filesystem::path checkpoint = options.out_dir / "training.safetensors";
  double earlier = 0;
  if (options.resume) earlier = load_checkpoint(optimizer, checkpoint);

  const Schedule schedule{options};
  const Clock::time_point start = Clock::now();
  const auto seconds = [&] { return earlier + seconds_since(start); };
  Progress report{.phase = Progress::Phase::train, .total = options.steps};
  const std::int64_t first_step = optimizer.steps();
  double last_report = seconds();
  double last_save = last_report;
  std::int64_t last_step = first_step;
  const auto fill = [&] {
    const double now = seconds();
    report.done = optimizer.steps();
    report.images_per_second = static_cast<double>((report.done - last_step) * options.batch_size) /
                               std::max(now - last_report, 1e-9);
    report.seconds = now;
    report.seconds_left = schedule.seconds_left(report.done, now);
  };
  const auto save = [&] {
    fill();
    report.held_out_accuracy = trainer.held_out_accuracy();
    save_checkpoint(optimizer, seconds(), checkpoint);
    model.save(model_dir, in_model_dir.out_dir, optimizer.average());
    report.phase = Progress::Phase::saved;
    sink(report);
    report.phase = Progress::Phase::train;
    last_save = last_report = seconds();
    last_step = optimizer.steps();
  };
  while (true) {
    const double done = schedule.progress(optimizer.steps(), seconds());
    if (done >= 1.0) break;
    const StepReport step = trainer.step(done);
    // The first steps count fully, so that the means do not start from zero.
    const double keep =
        std::min(kRunningMean, 1.0 - 1.0 / static_cast<double>(optimizer.steps() - first_step));
    report.loss = keep * report.loss + (1 - keep) * step.loss;
    report.table_accuracy = keep * report.table_accuracy + (1 - keep) * step.table_accuracy;
    report.learning_rate = scheduled_rate(options.learning_rate, options.warm_up, done);
    if (seconds() - last_save > options.checkpoint_minutes * kMinute) {
      save();
    } else if (seconds() - last_report > kReportSeconds) {
      fill();
      sink(report);
      last_report = seconds();
      last_step = optimizer.steps();
    }
  }
  save();
  return 0;
}

}  // namespace petlab::pretrain
