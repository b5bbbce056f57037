#include "checkpoint.hpp"
#include "petlab/base/error.hpp"
#include "petlab/kernels/threads.hpp"
#include "petlab/pretrain/lookalikes.hpp"
#include "petlab/pretrain/options.hpp"
#include "pictures.hpp"
#include "trainer.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

namespace petlab::pretrain {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kReportSeconds = 10;
constexpr double kRunningMean = 0.97;
constexpr double kMinute = 60;
constexpr std::int64_t kMeasuredAtOnce = 512;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void check(const PretrainOptions& options) {
  const auto refuse = [](const std::string& what) {
    throw base::Error(base::ErrorKind::config, what);
  };
  if (options.steps <= 0 && options.minutes <= 0)
    refuse("pretraining needs --minutes or --steps above 0");
  if (options.batch_size < 2) refuse("batch-size must be at least 2, the loss compares images");
  if (options.queue < 0) refuse("queue is below 0, expected a number of pairs");
  if (options.bare_captions < 0 || options.plain_captions < 0 ||
      options.bare_captions + options.plain_captions > 100)
    refuse("bare-captions and plain-captions are percentages that add up to 100 at most");
  if (options.noise_captions < 0 || options.noise_captions > 100)
    refuse("noise-captions is " + std::to_string(options.noise_captions) +
           ", expected a percentage");
  if (options.distillation < 0 || options.distillation > 1)
    refuse("distillation is a weight from 0 to 1, beside which the subjects' own has the rest");
  if (options.teacher_share <= 0 || options.teacher_share >= 1)
    refuse("teacher-share is a part of the training, expected a number between 0 and 1");
  if (options.device != "cpu" && options.device != "cuda")
    refuse("--device is '" + options.device + "', expected cpu or cuda");
  if (options.device == "cuda" && !at::hasCUDA())
    throw base::Error(base::ErrorKind::device,
                      "--device cuda was asked for, but this LibTorch sees no GPU");
}

std::vector<std::string> listed(const std::string& text) {
  std::vector<std::string> values;
  std::istringstream in(text);
  for (std::string value; std::getline(in, value, ',');)
    if (!value.empty()) values.push_back(value);
  return values;
}

std::map<std::string, SubjectWords> read_words(const PretrainOptions& options) {
  if (options.emojibase_dir.empty() && options.emojilib_dir.empty()) return {};
  if (options.emojibase_dir.empty() || options.emojilib_dir.empty())
    throw base::Error(base::ErrorKind::config,
                      "--emojibase and --emojilib belong together: give both folders or neither");
  return read_emoji_words(options.emojibase_dir, options.emojilib_dir);
}

/// What the pool's pictures look like, on several threads.
std::vector<PictureFacts> measure_pool(const std::vector<PoolIcon>& pool,
                                       const at::Tensor& pictures) {
  const auto size = static_cast<int>(pictures.size(1));
  const auto* const data = pictures.const_data_ptr<std::uint8_t>();
  std::vector<PictureFacts> facts(pool.size());
  std::vector<std::int32_t> sets;
  std::int32_t set = -1;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    if (i == 0 || pool[i].set != pool[i - 1].set) ++set;
    sets.push_back(set);
  }
  at::parallel_for(0, static_cast<std::int64_t>(pool.size()), kMeasuredAtOnce,
                   [&](std::int64_t first, std::int64_t last) {
                     for (std::int64_t k = first; k < last; ++k) {
                       const auto i = static_cast<std::size_t>(k);
                       const std::uint8_t* const picture =
                           data + i * static_cast<std::size_t>(size * size * 3);
                       facts[i] = facts_of(measure(picture, size), pool[i].is_emoji, pool[i].name,
                                           pool[i].set, sets[i]);
                     }
                   });
  return facts;
}

/// Trains the vocabulary on captions of the pool's pictures.
void make_tokenizer(const PretrainOptions& options, const TrainingData& data,
                    const std::filesystem::path& dir) {
  std::map<std::string, std::int64_t> texts;
  base::SplitMix64 chance(base::hash_name("captions for the vocabulary"));
  const CaptionShares shares = caption_shares(options);
  for (const std::int64_t picture : data.curriculum.training) {
    const auto i = static_cast<std::size_t>(picture);
    ++texts[data.pool[i].subject];
    ++texts[draw_caption(caption_source(data, i), data.facts[i], shares, chance).text];
  }
  const std::vector<std::pair<std::string, std::int64_t>> corpus(texts.begin(), texts.end());
  clip::train_tokenizer(corpus, options.vocab_size, options.context_length, dir);
}

/// Mean over designers.
double mean_bare(const std::vector<HeldOutScore>& scores) {
  double sum = 0;
  for (const HeldOutScore& score : scores)
    sum += score.bare;
  return scores.empty() ? -1 : sum / static_cast<double>(scores.size());
}

/// Adds a line to the table of how the training went.
void log_scores(const std::filesystem::path& file, const Progress& report) {
  const bool is_new = !std::filesystem::exists(file);
  std::ofstream out(file, std::ios::app);
  if (is_new)
    out << "step,seconds,loss,rows found,designer,bare,matched style,wrong style,style told\n";
  for (const HeldOutScore& score : report.held_out)
    out << report.done << "," << report.seconds << "," << report.loss << ","
        << report.table_accuracy << "," << score.family << "," << score.bare << "," << score.matched
        << "," << score.wrong << "," << score.style << "\n";
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
  kernels::set_threads(threads);
  const c10::Device device(options.device == "cuda" ? c10::kCUDA : c10::kCPU);
  std::filesystem::create_directories(options.out_dir);

  const PoolRule rule(options.recipe_dir);
  const std::vector<PoolIcon> pool = select_pool(options.package_dir, rule);
  const std::map<std::string, SubjectWords> words = read_words(options);
  sink({.phase = Progress::Phase::select,
        .done = static_cast<std::int64_t>(pool.size()),
        .message = std::to_string(pool.size()) + " images; words for " +
                   std::to_string(words.size()) + " subjects from emoji"});

  std::int64_t refused = 0;
  const std::filesystem::path pictures_dir =
      options.pictures_dir.empty() ? options.out_dir : options.pictures_dir;
  std::filesystem::create_directories(pictures_dir);
  const auto size = static_cast<int>(options.image_size);
  const at::Tensor pictures =
      load_pictures(options.package_dir, pool, size, pictures_dir / "pool_pictures.u8", threads,
                    &refused, [&](std::size_t done, std::size_t total) {
                      sink({.phase = Progress::Phase::render,
                            .done = static_cast<std::int64_t>(done),
                            .total = static_cast<std::int64_t>(total)});
                    });
  CurriculumRules rules{.table_families = options.table_families,
                        .held_out = listed(options.held_out)};
  const at::Tensor evaluation =
      render_evaluation(options.package_dir, options.recipe_dir, size, threads);
  for (const Lookalike& alike : find_lookalikes(pictures, evaluation, kAlikeBits, threads))
    rules.excluded.push_back(alike.picture);
  const Curriculum curriculum = make_curriculum(pool, rules);
  if (curriculum.training.empty())
    throw base::Error(base::ErrorKind::data, "no image is left to train on");
  std::size_t n_held_out = 0;
  for (const HeldOut& held_out : curriculum.held_out)
    n_held_out += held_out.pictures.size();
  sink({.phase = Progress::Phase::select,
        .done = static_cast<std::int64_t>(curriculum.training.size()),
        .message = std::to_string(rules.excluded.size()) +
                   " look like an evaluation image and are left out; " +
                   std::to_string(curriculum.training.size()) + " train, " +
                   std::to_string(curriculum.subjects.size()) + " subjects, " +
                   std::to_string(curriculum.n_rows) + " in the table; " +
                   std::to_string(n_held_out) + " measure, " +
                   std::to_string(curriculum.held_out_subjects.size()) + " subjects"});
  const TrainingData data{.pool = pool,
                          .curriculum = curriculum,
                          .words = words,
                          .pictures = pictures,
                          .facts = measure_pool(pool, pictures)};

  // The model directory is apart from the working files: it is what people copy.
  const std::filesystem::path model_dir = options.out_dir / "model";
  const std::filesystem::path tokenizer_dir = options.out_dir / "tokenizer";
  const std::filesystem::path checkpoint = options.out_dir / "training.safetensors";
  const std::filesystem::path settings = options.out_dir / "settings.txt";
  const std::filesystem::path log = options.out_dir / "log.csv";
  if (options.resume) {
    check_options(options, settings);
  } else {
    save_options(options, settings);
    std::filesystem::remove(log);
  }
  std::filesystem::create_directories(tokenizer_dir);
  make_tokenizer(options, data, tokenizer_dir);
  at::Generator generator = at::detail::createCPUGenerator(options.seed);
  const Model model(options, tokenizer_dir, curriculum.n_rows, device, generator);
  Trainer trainer(options, model, data, device);
  Optimizer& optimizer = trainer.optimizer();
  Account account;
  if (options.resume) account = load_checkpoint(trainer, checkpoint);
  const double earlier = account.seconds;

  const Schedule schedule{options};
  const Clock::time_point start = Clock::now();
  const auto seconds = [&] { return earlier + seconds_since(start); };
  Progress report{.phase = Progress::Phase::train, .total = options.steps};
  double last_report = seconds();
  double last_save = last_report;
  std::int64_t last_step = trainer.steps();
  std::int64_t n_averaged = 0;
  const auto fill = [&] {
    const double now = seconds();
    report.done = trainer.steps();
    report.images_per_second = static_cast<double>((report.done - last_step) * options.batch_size) /
                               std::max(now - last_report, 1e-9);
    report.seconds = now;
    report.seconds_left = schedule.seconds_left(report.done, now);
  };
  const auto save = [&] {
    fill();
    // While the teacher is trained the model is still as it was drawn.
    const bool measures = !trainer.trains_teacher(schedule.progress(report.done, report.seconds));
    report.held_out = measures ? trainer.held_out_scores() : std::vector<HeldOutScore>{};
    report.held_out_accuracy = mean_bare(report.held_out);
    report.is_best = measures && report.held_out_accuracy >= account.best_accuracy;
    if (report.is_best) {
      account.best_accuracy = report.held_out_accuracy;
      model.save(model_dir, tokenizer_dir, optimizer.average());
    }
    account.seconds = seconds();
    save_checkpoint(trainer, account, checkpoint);
    log_scores(log, report);
    report.phase = Progress::Phase::saved;
    sink(report);
    report.held_out_accuracy = -1;
    report.phase = Progress::Phase::train;
    last_save = last_report = seconds();
    last_step = trainer.steps();
  };
  while (true) {
    const double done = schedule.progress(trainer.steps(), seconds());
    if (done >= 1.0) break;
    const StepReport step = trainer.step(done);
    // The model's numbers start anew after the teacher's.
    if (step.is_teacher != report.is_teacher) n_averaged = 0;
    report.is_teacher = step.is_teacher;
    // The first steps count fully, so that the means do not start from zero.
    const double keep = std::min(kRunningMean, 1.0 - 1.0 / static_cast<double>(++n_averaged));
    report.loss = keep * report.loss + (1 - keep) * step.loss;
    report.table_accuracy = keep * report.table_accuracy + (1 - keep) * step.table_accuracy;
    report.learning_rate = step.learning_rate;
    if (seconds() - last_save > options.checkpoint_minutes * kMinute) {
      save();
    } else if (seconds() - last_report > kReportSeconds) {
      fill();
      sink(report);
      last_report = seconds();
      last_step = trainer.steps();
    }
  }
  save();
  return 0;
}

}  // namespace petlab::pretrain
